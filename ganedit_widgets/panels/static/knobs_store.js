// The rows of one Knobs model, shared by all its views: what the user does, what Python says, and who wins.

const INTERVAL = 34;  // ms between messages: at most 30 a second

function knobStore(model) {
  const me = Math.random().toString(36).slice(2);  // this page, in the stamps
  const store = { rows: new Map(), views: new Set(), held: new Set() };
  const counts = new Map(), pending = new Map();
  let timer = 0, sentAt = -INTERVAL;

  function flush() {
    clearTimeout(timer);
    timer = 0;
    sentAt = performance.now();
    for (const message of pending.values()) model.send(message);
    pending.clear();
  }

  // The newest message per row and kind; the final one of a gesture goes at once, the others keep the pace.
  function post(kind, key, value, final) {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    pending.set(kind + key, { t: kind, key, value, final, stamp: [me, count] });
    const wait = sentAt + INTERVAL - performance.now();
    if (final || wait <= 0) flush();
    else timer ||= setTimeout(flush, wait);
  }

  // Python knows of this page's last move (or of none because another page moved): its word is newer.
  const newer = (key, stamp) => !store.held.has(key) && !pending.has('input' + key)
    && (stamp ? stamp[0] !== me || stamp[1] >= (counts.get(key) ?? 0) : !counts.has(key));

  const redraw = key => { for (const view of store.views) view.update(key); };

  function adopt(key, fields, stamp) {
    const row = store.rows.get(key);
    if (!row) return;
    const { value, layers, enabled, ...rest } = fields;
    Object.assign(row, rest);
    if (newer(key, stamp)) Object.assign(row, Object.fromEntries(Object.entries({ value, layers, enabled }).filter(e => e[1] !== undefined)));
    redraw(key);
  }

  store.read = () => {  // the list of rows has changed in Python
    const old = store.rows;
    store.rows = new Map(model.get('rows').map(row => [row.key, old.get(row.key) ?? { ...row }]));
    for (const row of model.get('rows')) adopt(row.key, row, row.stamp);
    for (const view of store.views) view.arrange();
  };
  store.receive = message => { if (message.t === 'set') adopt(message.key, message.fields, message.stamp); };
  store.input = (key, value, final) => {
    store.rows.get(key).value = value;
    post('input', key, value, final);
    redraw(key);
  };
  store.layers = (key, lo, hi, final) => {
    store.rows.get(key).layers = [lo, hi];
    post('layers', key, [lo, hi], final);
    redraw(key);
  };
  store.toggle = (key, enabled) => {
    store.rows.get(key).enabled = enabled;
    post('toggle', key, enabled, true);
    redraw(key);
  };
  store.remove = key => model.send({ t: 'remove', key });
  store.move = (key, by) => model.send({ t: 'move', key, by });
  store.end = flush;
  return store;
}
