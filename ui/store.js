// @ts-check
/** @import { AccountsView, AppView, Change, GeneralView, Progress, SetupView, SyncStatus, SyncView } from './bindings/view.d.ts' */

/**
 * The last view of each screen, as the backend gave it.
 *
 * @typedef {{
 *   app: AppView | null,
 *   accounts: AccountsView | null,
 *   sync: SyncView | null,
 *   setup: SetupView | null,
 *   general: GeneralView | null,
 *   progress: Progress | null,
 * }} Views
 */

/** @type {Views} */
export const NO_VIEWS = { app: null, accounts: null, sync: null, setup: null, general: null, progress: null };

/**
 * The views after a change. What a change does not touch stays the same object, so that a screen can tell by `===`.
 *
 * @param {Views} views
 * @param {Change} change
 * @returns {Views}
 */
export function applyChange(views, change) {
  switch (change.kind) {
    case 'app':
      return withStatus({ ...views, app: change.view }, change.view.status);
    case 'status':
      return withStatus(views, change.status);
    case 'accounts':
      return { ...views, accounts: change.view };
    case 'accountRows':
      return views.accounts
        ? { ...views, accounts: { ...views.accounts, rows: mergeRows(views.accounts.rows, change.changed, change.removed) } }
        : views;
    case 'setup':
      return { ...views, setup: change.view, sync: views.sync && { ...views.sync, setup: change.view } };
    case 'sync':
      return withStatus({ ...views, sync: change.view, setup: change.view.setup }, change.view.status);
    case 'deviceRows': {
      if (!views.sync) return views;
      const { thisDevice, otherDevices } = views.sync;
      const own = change.changed.find((row) => row.thisDevice) ?? thisDevice;
      const others = mergeRows(otherDevices, change.changed.filter((row) => !row.thisDevice), change.removed);
      return { ...views, sync: { ...views.sync, thisDevice: own, otherDevices: others } };
    }
    case 'general':
      return { ...views, general: change.view };
    case 'progress':
      return { ...views, progress: change.progress };
  }
}

/**
 * @param {Views} views
 * @param {SyncStatus} status
 * @returns {Views}
 */
function withStatus(views, status) {
  return {
    ...views,
    app: views.app && { ...views.app, status },
    sync: views.sync && { ...views.sync, status },
    general: views.general && { ...views.general, status },
  };
}

/**
 * Rows after some changed: known ones keep their place, new ones follow, unchanged ones stay the same objects.
 *
 * @template {{ id: string }} R
 * @param {R[]} rows
 * @param {R[]} changed
 * @param {string[]} removed
 * @returns {R[]}
 */
export function mergeRows(rows, changed, removed) {
  const gone = new Set(removed);
  const news = new Map(changed.map((row) => [row.id, row]));
  const kept = rows.filter((row) => !gone.has(row.id)).map((row) => {
    const replacement = news.get(row.id);
    news.delete(row.id);
    return replacement ?? row;
  });
  return [...kept, ...[...news.values()].filter((row) => !gone.has(row.id))];
}

/** Holds the views and tells who asked. */
export class Store {
  /** @type {Views} */
  views = NO_VIEWS;
  /** @type {Set<(views: Views, before: Views) => void>} */
  #listeners = new Set();

  /** @param {Change} change */
  apply(change) {
    const before = this.views;
    this.views = applyChange(before, change);
    if (this.views !== before) for (const listener of this.#listeners) listener(this.views, before);
  }

  /**
   * @param {(views: Views, before: Views) => void} listener
   * @returns {() => void} stops it
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets every view but the app's own: nothing of an open vault stays behind when it locks. */
  forget() {
    const before = this.views;
    this.views = { ...NO_VIEWS, app: before.app };
    for (const listener of this.#listeners) listener(this.views, before);
  }
}

/** The one store of the window. */
export const store = new Store();
