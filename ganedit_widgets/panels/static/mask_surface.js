// The ipycanvas surface, hosted below the ink: one element carries zoom and pan for both.

const within = (promise, ms) => Promise.race([promise, new Promise((_, no) => setTimeout(() => no(new Error('late')), ms))]);

// Put the surface's view into `world`, and call `fn` once it shows a picture. Where there is no ipycanvas it is never
// called, and the ink goes on showing everything.
async function hostSurface(model, life, world, fn) {
  const manager = model.widget_manager, name = model.get('surface');
  if (!manager || typeof name !== 'string') return;
  let ended = false;
  life.onEnd(() => { ended = true; });
  try {
    const surface = await manager.get_model(name.replace('IPY_MODEL_', ''));
    const view = await manager.create_view(surface, {});
    if (ended) { view.remove(); return; }
    view.el.classList.add('ge-mask-surface');
    view.el.removeAttribute('tabindex');
    world.prepend(view.el);
    life.onEnd(() => view.remove());
    const watch = setInterval(() => {
      if (!view.el.getContext('2d').getImageData(0, 0, 1, 1).data[3]) return;
      clearInterval(watch);
      fn();
    }, 60);
    life.onEnd(() => clearInterval(watch));
  } catch (error) {
    console.warn('ganedit painter: no ipycanvas here, the ink shows everything:', error);
  }
}

// A function that waits until ipycanvas has drawn what it was sent. One failed command would end its queue for good,
// for every canvas of the page: then the queue is started anew, and Python draws again.
function surfaceQueue(model) {
  let canvases;
  const find = async () => {
    const surface = await model.widget_manager.get_model(model.get('surface').replace('IPY_MODEL_', ''));
    return surface.get('_canvases')[0].get('_canvas_manager');
  };
  return async () => {
    if (!model.widget_manager) return;
    let queue;
    try {
      queue = await (canvases ??= await find());
      if (!queue?.currentProcessing) throw new Error('unknown');
    } catch {  // another version of ipycanvas: what it needs as a rule
      await new Promise(done => setTimeout(done, 80));
      return;
    }
    try {
      await within(queue.currentProcessing, 3000);
      await Promise.race([new Promise(requestAnimationFrame), new Promise(done => setTimeout(done, 200))]);
    } catch (error) {
      console.warn('ganedit painter: surface started anew', error);
      queue.currentProcessing = Promise.resolve();
      queue.currentCanvas = undefined;
      model.send({ t: 'redraw' });
    }
  };
}
