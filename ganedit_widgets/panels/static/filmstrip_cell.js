// One thumbnail of a Filmstrip.

const SPOKEN = { '+': ', marked plus', '-': ', marked minus', '': '' };

function filmCell(strip, id) {
  const image = h('img', { alt: '', draggable: 'false' });
  const mark = h('span', { class: 'ge-mark', 'aria-hidden': 'true' }), caption = h('span', { class: 'ge-caption' });
  const node = h('div', { class: 'ge-cell', role: 'option', id: `${strip.prefix}${id}` }, h('span', { class: 'ge-frame' }, image, mark), caption);
  return {
    node,
    update(cell, position, count) {
      if (image.src !== cell.url) image.src = cell.url;
      node.style.setProperty('--ge-aspect', cell.aspect);
      caption.textContent = cell.caption;
      node.title = cell.caption;
      node.classList.toggle('ge-undone', cell.undone);
      node.dataset.mark = cell.mark;
      mark.textContent = cell.mark === '-' ? '−' : cell.mark;
      node.setAttribute('aria-label', `${cell.caption || `Picture ${position + 1}`}${cell.undone ? ', undone' : ''}${SPOKEN[cell.mark]}`);
      node.setAttribute('aria-posinset', position + 1);
      node.setAttribute('aria-setsize', count);
      node.setAttribute('aria-selected', id === strip.current());
    },
  };
}
