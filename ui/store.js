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

/**
 * Which changes tell at least what an answer of a kind tells. Rows are told with every command that alters them.
 *
 * @type {Partial<Record<Change['kind'], Change['kind'][]>>}
 */
const OVERTAKEN_BY = {
  app: ['app', 'status'],
  accounts: ['accounts', 'accountRows'],
  accountRows: ['accounts', 'accountRows'],
  setup: ['setup', 'sync'],
  sync: ['sync', 'setup', 'deviceRows', 'status'],
  general: ['general', 'status'],
};

/** @typedef {Partial<Record<Change['kind'], number>>} Heard How many changes of each kind. */

/** Holds the views and tells who asked. */
export class Store {
  /** @type {Views} */
  views = NO_VIEWS;
  /** @type {Heard} */
  #heard = {};
  /** What had been heard when the command was sent that an object is the answer of. @type {WeakMap<object, Heard>} */
  #askedAfter = new WeakMap();
  /**
   * Has a view fetched whose answer was overtaken. Set by the window.
   *
   * @type {(kind: 'app' | 'accounts' | 'setup' | 'sync' | 'general') => void}
   */
  onOvertaken = () => {};
  /** @type {Set<(views: Views, before: Views) => void>} */
  #listeners = new Set();

  /**
   * A change that the backend told by itself. These come in order; answers of commands come on a way of their own.
   *
   * @param {Change} change
   */
  hear(change) {
    this.#heard[change.kind] = (this.#heard[change.kind] ?? 0) + 1;
    this.#take(change);
  }

  /** To be asked for before a command is sent. @returns {Heard} */
  heard() {
    return { ...this.#heard };
  }

  /**
   * Notes that `answer` is a command's, which was sent when `heard` had been heard.
   *
   * @param {unknown} answer
   * @param {Heard} heard
   */
  answered(answer, heard) {
    for (const one of Array.isArray(answer) ? answer : [answer]) {
      if (one && typeof one === 'object') this.#askedAfter.set(one, heard);
    }
  }

  /**
   * What the window found out itself, or a command answered. An answer that newer changes have overtaken is fetched
   * anew, since what it says may be over; until then it only serves where there is nothing yet.
   *
   * @param {Change} change
   */
  apply(change) {
    const { kind } = change;
    const isOvertaken = this.#isOvertaken(change);
    const isHere = kind === 'accountRows' ? this.views.accounts !== null : 'view' in change && this.views[change.kind] !== null;
    if (!isOvertaken || !isHere) this.#take(change);
    if (!isOvertaken) return;
    if (kind === 'app' || kind === 'accounts' || kind === 'setup' || kind === 'sync' || kind === 'general') this.onOvertaken(kind);
  }

  /** @param {Change} change */
  #isOvertaken(change) {
    const answers = 'view' in change ? [change.view] : change.kind === 'accountRows' ? change.changed : [];
    return answers.some((answer) => {
      const heard = this.#askedAfter.get(answer);
      return heard && OVERTAKEN_BY[change.kind]?.some((kind) => this.#heard[kind] !== heard[kind]);
    });
  }

  /** @param {Change} change */
  #take(change) {
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
