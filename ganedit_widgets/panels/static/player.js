// Player: a film that was rendered once and plays here, without asking Python for anything. See player.py.

// Messages in: {t: 'begin', count, aspect, generation}, {t: 'picture', index, generation} + one JPEG.
// Messages out: {t: 'ready'}, {t: 'got', index, generation}: a frame is unpacked, {t: 'at', index}: the frame at which
// the user stopped.
ICONS.play = 'M5 3.500v9l7-4.500z';
ICONS.pause = 'M5.500 3.500v9M10.500 3.500v9';

function filmStore(model) {
  const store = { frames: [], generation: -1, aspect: 1, views: new Set(), asked: false };
  let waiting = 0;
  const redraw = () => {  // once a frame of the screen, however fast pictures arrive
    waiting ||= setTimeout(() => { waiting = 0; for (const view of store.views) view.update(); }, 30);
  };
  const clear = () => { for (const frame of store.frames) frame?.close(); store.frames = []; };

  store.receive = async (message, buffers) => {
    if (message.t === 'begin') {
      clear();
      store.generation = message.generation;
      store.aspect = message.aspect;
      store.frames = new Array(message.count).fill(null);
      for (const view of store.views) view.begin();
    } else if (message.t === 'picture' && message.generation === store.generation) {
      const bitmap = await createImageBitmap(new Blob([buffers[0]], { type: 'image/jpeg' }));
      if (message.generation !== store.generation) { bitmap.close(); return; }
      model.send({ t: 'got', index: message.index, generation: message.generation });
      if (store.frames[message.index]) { bitmap.close(); return; }
      store.frames[message.index] = bitmap;
      redraw();
    }
  };
  store.arrived = () => { const n = store.frames.indexOf(null); return n < 0 ? store.frames.length : n; };
  store.end = () => { clearTimeout(waiting); clear(); };
  return store;
}

function playerView(model, el, store) {
  const life = scope(model);
  const canvas = h('canvas', { class: 'ge-film', tabindex: 0, role: 'img', width: 1, height: 1, 'aria-keyshortcuts': 'Space ArrowLeft ArrowRight Home End' });
  const playButton = h('button', { type: 'button', class: 'ge-tool' });
  const slider = h('input', { type: 'range', class: 'ge-film-slider', min: 0, max: 0, step: 1, value: 0, 'aria-label': 'Frame of the film' });
  const text = h('span', { class: 'ge-film-text' });
  const pace = h('input', { type: 'number', class: 'ge-text ge-pace', min: 1, max: 60, step: 1, title: 'Pictures per second', 'aria-label': 'Pictures per second' });
  const hint = h('div', { class: 'ge-film-hint' });
  const bar = h('div', { class: 'ge-film-bar' }, playButton, slider, text, pace, h('span', { class: 'ge-unit' }, '/ s'));
  const root = h('div', { class: 'ge-root ge-player', role: 'group', 'aria-label': 'Film', 'data-lm-suppress-shortcuts': 'true' }, hint, canvas, bar);
  let index = 0, playing = false, wanted = false, direction = 1, before = 0, shown = null, timer = 0;

  function draw() {
    const frame = store.frames[index];
    if (!frame || frame === shown) return;
    if (canvas.width !== frame.width || canvas.height !== frame.height) Object.assign(canvas, { width: frame.width, height: frame.height });
    canvas.getContext('2d', { alpha: false }).drawImage(frame, 0, 0);
    shown = frame;
  }
  function step() {
    const last = store.arrived() - 1;
    if (last < 1) return;
    if (model.get('loop')) { direction = 1; index = index >= last ? 0 : index + 1; return; }
    if (index + direction > last || index + direction < 0) direction = -direction;  // there and back again
    index = clamp(index + direction, 0, last);
  }
  function tick(now) {
    timer = 0;
    if (!playing) return;
    if (now - before >= 1000 / model.get('fps') - 4) {
      before = now;
      if (canvas.offsetParent) { step(); update(); }  // not while its tab is hidden
    }
    timer = requestAnimationFrame(tick);
  }
  function play(on) {
    playing = on && store.arrived() > 1;
    if (playing && !timer) timer = requestAnimationFrame(tick);
    update();
  }
  function go(to) {
    wanted = false;
    play(false);
    index = clamp(to, 0, Math.max(0, store.arrived() - 1));
    update();
  }
  const tell = () => model.send({ t: 'at', index });

  function update() {
    const count = store.frames.length, arrived = store.arrived();
    if (wanted && arrived === count && count > 1) { wanted = false; play(true); return; }  // pictures may arrive after the word
    const icon_ = playing ? 'pause' : 'play', name = playing ? 'Pause (Space)' : 'Play (Space)';
    if (playButton.dataset.icon !== icon_) { playButton.replaceChildren(icon(icon_)); playButton.dataset.icon = icon_; }
    playButton.title = arrived > 1 ? name : 'Nothing to play yet';
    playButton.setAttribute('aria-label', playButton.title);
    playButton.setAttribute('aria-disabled', arrived < 2);
    slider.max = Math.max(0, arrived - 1);
    slider.value = index;
    text.textContent = count ? `${index + 1} / ${arrived < count ? `${arrived} of ${count}` : count}` : '';
    hint.textContent = model.get('hint');
    hint.hidden = Boolean(arrived) || !model.get('hint');
    canvas.hidden = bar.hidden = !arrived;
    root.style.setProperty('--ge-width', `${model.get('width')}px`);
    canvas.style.aspectRatio = store.aspect;
    canvas.setAttribute('aria-label', `Film, picture ${index + 1} of ${count}`);
    root.dataset.index = index;
    root.dataset.arrived = arrived;
    if (document.activeElement !== pace) pace.value = model.get('fps');
    root.classList.toggle('ge-stale', model.get('stale'));
    draw();
  }
  function begin() {
    index = 0;
    direction = 1;
    shown = null;
    play(false);
  }
  // a film that has just been finished plays, unless the user wants no motion
  function onDone() {
    wanted = model.get('done') && !matchMedia('(prefers-reduced-motion: reduce)').matches;
    update();
  }

  life.dom(playButton, 'click', () => { if (playing) { play(false); tell(); } else play(true); });
  life.dom(canvas, 'click', () => { canvas.focus({ preventScroll: true }); if (playing) { play(false); tell(); } else play(true); });
  life.dom(slider, 'input', () => go(Number(slider.value)));
  life.dom(slider, 'change', tell);
  life.dom(pace, 'change', () => {
    const fps = clamp(Math.round(Number(pace.value)) || 16, 1, 60);
    pace.value = fps;
    model.set('fps', fps);
    model.save_changes();
  });
  life.dom(canvas, 'keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: store.frames.length - 1 }[event.key];
    if (event.key === ' ') { take(event); if (playing) { play(false); tell(); } else play(true); }
    else if (to !== undefined) { take(event); go(to); tell(); }
  });
  life.model('change:width change:fps change:loop change:hint change:stale', update);
  life.model('change:done', onDone);
  life.onEnd(() => cancelAnimationFrame(timer));
  actionKeys(life, model, root);
  const self = { update, begin };
  store.views.add(self);
  life.onEnd(() => store.views.delete(self));
  mount(el, root);
  update();
  return life.end;
}

export default () => {
  let store;
  return {
    initialize({ model }) {
      store = filmStore(model);
      model.on('msg:custom', store.receive);
      return () => { store.end(); model.off('msg:custom', store.receive); };
    },
    render({ model, el }) {
      const end = playerView(model, el, store);
      if (!store.asked) { store.asked = true; model.send({ t: 'ready' }); }
      return end;
    },
  };
};
