// The pictures of one Stage, shared by all its views: decode, draw, then confirm to Python.

function frameStore(model) {
  const store = { result: null, before: null, views: new Set(), note: '' };
  const pending = {};
  let decoding = false;

  // The newest picture of each slot waits; the ones it replaces need no confirmation (a later one covers them).
  async function pump() {
    if (decoding) return;
    decoding = true;
    for (let slot; (slot = Object.keys(pending)[0]);) {
      const { message, bytes } = pending[slot];
      delete pending[slot];
      const reply = { t: 'ack', slot, seq: message.seq };
      try {
        const bitmap = await createImageBitmap(new Blob([bytes], { type: message.mime }),
          { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
        store[slot]?.close();
        store[slot] = bitmap;
        store.note = '';
        for (const view of store.views) view.draw(slot, message);
      } catch (error) {
        reply.error = String(error);
        store.note = 'This picture could not be decoded; the last good one is shown.';
        console.warn('ganedit stage:', error);
        for (const view of store.views) view.refresh();
      }
      model.send(reply);
    }
    decoding = false;
  }

  store.receive = (message, buffers) => {
    if (message?.t !== 'frame') return;
    delete pending[message.slot];  // keep the order of arrival between the slots
    pending[message.slot] = { message, bytes: buffers[0] };
    pump();
  };
  return store;
}
