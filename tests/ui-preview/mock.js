// Stands in for the backend inside the page: answers are data, given by shots.mjs as `window.previewAnswers`.
(() => {
  const listeners = new Set();
  const invoke = async (command, args) => {
    const answer = window.previewAnswers[command];
    if (answer === undefined) throw new Error(`no answer for ${command} ${JSON.stringify(args)}`);
    if (answer && answer.never) return new Promise(() => {});
    if (answer && answer.refuse) throw answer.refuse;
    return structuredClone(answer);
  };
  window.__TAURI__ = {
    core: { invoke },
    event: {
      listen: async (_name, handler) => {
        listeners.add(handler);
        return () => listeners.delete(handler);
      },
    },
  };
  window.previewEmit = (change) => listeners.forEach((handler) => handler({ payload: change }));
})();
