"""What a session does when it is asked: in the worker's thread, one thing at a time, in steps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import traitlets as tr

from ganedit_widgets.core.edits import Edit, Restore, stopped
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.recipe import Recipe, load_recipe, save_png

from .notes import label_of
from .running import Running
from .showing import Showing
from .turn import Turn
from .worker import Priority, Steps, Worker

REST = 0.25  # seconds without a newer preview until the full picture is drawn

Action = Callable[[Turn], Steps]  # what its generator returns is said to the user


class Actions(Showing):
    """The private part of a session. An action begins when its turn comes; `turn.over` tells it to end."""

    settled = tr.Any(None, help="the edit that was recorded, or given up by somebody else: its panel comes to rest")

    def __init__(self, generator: Generator, latent: Latent | None, worker: Worker) -> None:
        super().__init__(generator, latent, worker)
        self._asking = threading.RLock()
        self._turns: list[Turn] = []  # asked, and perhaps not finished; the last one stays
        self._stoppable: list[Turn] = []  # those of them that are no previews: a preview's last picture is always drawn
        self._tasks: list[Turn] = []
        self._kept = ""  # what was said when the preview on show began: it stays as long as the preview

    # ---- asking

    def _ask(self, action: Action, *, preview: bool = False, by: object = None) -> Turn:
        """Stop what is going on and do `action` next; of the previews `by` one asker only the newest."""
        with self._asking:
            for turn in self._turns:
                turn.stop()
            lists = (self._turns,) if preview else (self._turns, self._stoppable)
            turn = self._worker.submit(
                partial(self._told, action, lists, self._number()),
                lane=self,
                priority=Priority.PREVIEW if preview else Priority.EDIT,
                slot=("preview", id(by)) if preview else None,
            )
            self._enter(turn, lists)
            return turn

    def _enter(self, turn: Turn, lists: tuple[list[Turn], ...]) -> None:
        """Note who has been asked; without threads, this is done before `submit` returns."""
        with self._asking:
            for turns in lists:
                turns[:] = [t for t in turns if not t.finished and t is not turn] + [turn]

    def _told(self, action: Action, lists: tuple[list[Turn], ...], act: int, turn: Turn) -> Steps:
        """Do `action`; say what it returns, or what went wrong."""
        if self._worker.sync:
            self._enter(turn, lists)
        try:
            said = yield from action(turn)
        except Exception as error:
            self.complain(error, act)
            raise
        if said:
            self.tell(said, act=act)
        else:
            self._forget(act)

    # ---- the actions

    def _rest(self, turn: Turn) -> Steps:
        """Show the recorded picture, then the one before it."""
        entry = self.history.entries[self.history.index]
        self._show(self._painter.full(entry.latent))
        self._list()
        yield
        if not turn.over:
            self._compare()

    def _preview(self, edit: Edit | None, moving: bool, by: object, turn: Turn) -> Steps:
        if kept := self._keep_others(by):
            self._kept = kept
        self._pending_by = by
        if edit is None:
            self._pending = None  # not settled: who asked rests already, or has been moved on since
            self._kept = ""
            yield from self._rest(turn)
            return kept
        latent = next(iter(edit.steps(self.generator, self.history.latent)))
        self._pending = (edit, latent)  # even if nobody will see it: the next action may keep or undo it
        if not turn.over:
            yield from self._look(latent, moving, turn)
        return self._kept

    def _look(self, latent: Latent, moving: bool, turn: Turn) -> Steps:
        """Show what a preview would do, and the picture before it."""
        if moving:
            self._show(self._painter.quick(latent), moving=True)
            yield REST
            if turn.over:
                return
        self._show(self._painter.full(latent))
        yield
        if not turn.over:
            self._compare()

    def _apply(self, edit: Edit, by: object, turn: Turn) -> Steps:
        kept = self._keep_others(by)
        running, failure = Running(label_of(edit), edit.total), None
        with self._working(running):
            try:
                for latent in edit.steps(self.generator, self.history.latent, running.report):
                    if running.advance(latent) and running.done < running.total:
                        self._show(running.picture(self._painter.quick), moving=True)
                        self._publish(running)
                    yield
                    if turn.over:
                        break
            except Exception as error:
                failure = error  # what was reached before is kept
        if running.latent is not None:
            self._record(edit, stopped(edit, running.done), running.latent)
            yield from self._rest(turn)
        if failure is not None:
            raise failure
        return kept

    def _keep(self, turn: Turn) -> Steps:
        label = self._record_pending()
        yield from self._rest(turn)
        return f"“{label}” is recorded." if label else ""

    def _undo(self, turn: Turn) -> Steps:
        label = self._record_pending()
        if not self.history.can_undo:
            return "There is nothing to undo."
        self.history.undo()
        yield from self._rest(turn)
        return f"“{label}” was on show, not applied, and is taken back: Redo does it again." if label else ""

    def _travel(self, number: Callable[[], int], turn: Turn) -> Steps:
        label = self._give_up()
        self.history.go_to(number())
        yield from self._rest(turn)
        return f"“{label}” was on show, not applied, and is given up." if label else ""

    def _save(self, target: str | Path | BinaryIO, turn: Turn) -> Steps:
        kept = yield from self._keep(turn)
        pixels = self._painter.full(self.history.latent)
        save_png(target, pixels, Recipe.of(self.generator, self.history))
        return f"Saved to {target}, with its recipe inside." if isinstance(target, str | Path) else kept

    def _load(self, source: str | Path | bytes, turn: Turn) -> Steps:
        opened = load_recipe(source).history(self.generator)
        self._give_up()
        steps = [(entry.edit, entry.latent) for entry in opened.entries[1:] if entry.edit is not None]
        if not steps or not getattr(steps[0][0], "anew", False):  # where it began matters to what follows
            steps.insert(0, (Restore(opened.entries[0].latent, "opened"), opened.entries[0].latent))
        for edit, latent in steps:
            self.history.push(edit, latent)
        yield from self._rest(turn)

    def _task(self, name: str, steps: Callable[[], Steps], total: int, turn: Turn) -> Steps:
        running = Running(name, total)
        with self._working(running):
            walk = steps()
            while not turn.over:
                try:
                    next(walk)
                except StopIteration as end:
                    return end.value
                if running.advance():
                    running.picture(self._painter.quick)  # none: it begins the pause
                    self._publish(running)
                yield
        return f"{name}: stopped."

    # ---- their parts

    def _record(self, asked: Edit, edit: Edit, latent: Latent) -> None:
        """Record `edit`, which is what became of the one that was asked for."""
        self.history.push(edit, latent)
        self._settle(asked)

    def _record_pending(self) -> str:
        """Record the preview on show and return its label; "" if there is none."""
        if self._pending is None:
            return ""
        edit, latent = self._pending
        self._record(edit, edit, latent)
        return label_of(edit)

    def _keep_others(self, by: object) -> str:
        """What somebody else has on show is what `by` builds on: record it, and return what is to be said of that."""
        if self._pending is None or self._pending_by is by:
            return ""
        label = self._record_pending()
        self._list()
        return f"“{label}” was on show, not applied, and is recorded now: what you do next builds on it."

    def _give_up(self) -> str:
        """Forget the preview on show and return its label; "" if there is none."""
        if self._pending is None:
            return ""
        edit = self._pending[0]
        self._settle(edit)
        return label_of(edit)

    def _settle(self, edit: Edit) -> None:
        self._kept = ""
        pending, self._pending = self._pending, None
        for over in {id(e): e for e in (edit, pending[0] if pending else edit)}.values():
            self.settled = None  # or the same edit could not be told twice
            self.settled = over
