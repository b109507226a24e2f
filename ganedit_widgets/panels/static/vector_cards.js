// VectorCards: edit vectors as cards. See ganedit_widgets/panels/vector_cards.py for the Python side.

// Traits: cards [{number, name, image, classes, range, source, about, warn}], chosen. Messages out: {t: 'order', name, number}.

function vectorCard(card, prefix) {
  const lines = [['classes', card.classes], ['range', card.range], ['source', card.source]].filter(([, text]) => text);
  const said = [card.name, ...lines.map(([, text]) => text), card.warn].filter(Boolean).join(', ');
  const picture = card.image ? h('img', { src: card.image, alt: '', draggable: 'false' }) : h('span', { class: 'ge-vector-blank' });
  return h('div', { class: `ge-vector${card.warn ? ' ge-vector-foreign' : ''}`, role: 'option', id: prefix + card.number,
    'data-number': card.number, 'aria-label': said, title: [card.name, card.about, card.warn].filter(Boolean).join('\n') },
    picture, h('b', { class: 'ge-vector-name' }, card.name),
    ...lines.map(([kind, text]) => h('span', { class: `ge-vector-${kind}` }, text)),
    ...(card.warn ? [h('span', { class: 'ge-vector-warn' }, 'of another model')] : []));
}

function cardsView(model, el) {
  const life = scope(model), prefix = `ge-${Math.random().toString(36).slice(2)}-`;
  const list = h('div', { class: 'ge-vectors', role: 'listbox', tabindex: 0 });
  const hint = h('div', { class: 'ge-hint' });
  const root = h('div', { class: 'ge-root ge-vector-cards', 'data-lm-suppress-shortcuts': 'true' }, list, hint);
  const numbers = () => model.get('cards').map(card => card.number);
  const order = (name, number) => model.send({ t: 'order', name, number });

  function mark() {
    const chosen = model.get('chosen');
    for (const node of list.children) {
      const on = Number(node.dataset.number) === chosen;
      node.setAttribute('aria-selected', on);
      if (on && list.dataset.shown !== String(chosen)) reveal(node);
    }
    list.dataset.shown = chosen;
    list.setAttribute('aria-activedescendant', chosen ? prefix + chosen : '');
  }
  function reveal(node) {  // scrolls the list itself, never the page
    const box = list.getBoundingClientRect(), card = node.getBoundingClientRect();
    if (card.top < box.top) list.scrollTop -= box.top - card.top + 4;
    if (card.bottom > box.bottom) list.scrollTop += card.bottom - box.bottom + 4;
  }
  function arrange() {
    const top = list.scrollTop;
    list.replaceChildren(...model.get('cards').map(card => vectorCard(card, prefix)));
    list.scrollTop = top;
    list.setAttribute('aria-label', model.get('label'));
    list.hidden = !list.children.length;
    hint.textContent = model.get('hint');
    hint.hidden = !list.hidden || !model.get('hint');
    mark();
  }
  function choose(number) {
    if (number === model.get('chosen')) return;
    model.set('chosen', number);
    model.save_changes();
    mark();
  }
  const numberOf = event => Number(event.target.closest('.ge-vector')?.dataset.number ?? 0);
  life.dom(list, 'click', event => { if (numberOf(event)) choose(numberOf(event)); });
  life.dom(list, 'dblclick', event => { if (numberOf(event)) order('add', numberOf(event)); });

  life.dom(list, 'keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const all = numbers(), at = all.indexOf(model.get('chosen')), last = all.length - 1;
    const first = list.firstChild?.offsetTop, columns = [...list.children].filter(node => node.offsetTop === first).length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -all.length, End: all.length };
    if (event.key in steps) {
      take(event);
      const to = at + steps[event.key];
      if (all.length) choose(all[at < 0 ? 0 : (to < 0 || to > last) && /Up|Down/.test(event.key) ? at : clamp(to, 0, last)]);
    } else if (event.key === 'Enter' && at >= 0) {
      take(event);
      order('add', all[at]);
    } else if ((event.key === 'Delete' || event.key === 'Backspace') && at >= 0) {
      take(event);
      order('delete', all[at]);
    }
  });

  life.model('change:cards change:label change:hint', arrange);
  life.model('change:chosen', mark);
  actionKeys(life, model, root);
  mount(el, root);
  arrange();
  return life.end;
}

export default () => ({ render: ({ model, el }) => cardsView(model, el) });
