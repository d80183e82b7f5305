// @ts-check
/** @import { AccountsView } from '../bindings/view.d.ts' */
/** @import { Views } from '../store.js' */
import { call } from '../backend.js';
import { announce } from '../components/announce.js';
import { button, copyOf, fill, get, h, icon } from '../components/dom.js';
import { KeyedList } from '../components/keyed-list.js';
import { banner, emptyState, loadInto } from '../components/loading.js';
import { attempt } from '../components/toast.js';
import { accountForm } from '../dialogs/account-form.js';
import { autoConnect } from '../dialogs/auto-connect.js';
import { goTo } from '../nav.js';
import { openSetup } from '../setup/dialog.js';
import { store } from '../store.js';
import { byExchangeAndLabel, closedSentence, isSynced, listed } from '../words/accounts.js';
import { counted } from '../words/time.js';
import { makeRow, updateRow } from './account-row.js';
import { proveIdentity } from './unlock.js';

/**
 * @param {HTMLElement} root
 * @returns {() => void} unmounts
 */
export function mountAccounts(root) {
  /** @type {(() => void) | null} */
  let stop = null;
  void loadInto(root, 'Opening your accounts…', async () => {
    store.apply({ kind: 'accounts', view: await call('accounts_view') });
    const screen = new AccountsScreen(root);
    const unsubscribe = store.subscribe((views, before) => screen.show(views, before));
    const timer = setInterval(() => screen.refresh(), 60_000);
    stop = () => {
      unsubscribe();
      clearInterval(timer);
      screen.unmount();
    };
  });
  return () => stop?.();
}

class AccountsScreen {
  #search = '';

  /** @param {HTMLElement} root */
  constructor(root) {
    this.element = copyOf('accounts-template');
    this.list = new KeyedList(get(this.element, '.rows'), makeRow, updateRow);
    this.sync = /** @type {HTMLInputElement} */ (get(this.element, '[name="sync"]'));
    this.auto = /** @type {HTMLInputElement} */ (get(this.element, '[name="auto-connect"]'));
    this.searchField = /** @type {HTMLInputElement} */ (get(this.element, '[type="search"]'));
    this.foot = get(this.element, '.list-foot');
    this.#wire();
    fill(root, this.element);
    this.show(store.views, null);
  }

  #wire() {
    this.searchField.addEventListener('input', () => {
      this.#search = this.searchField.value;
      this.#showRows(this.#view);
      if (this.#search) announce(`${counted(listed(this.#view, this.#search).rows.length, 'account')} found`);
    });
    this.searchField.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.#search) return;
      event.preventDefault();
      this.#clearSearch();
    });
    this.sync.addEventListener('change', () => this.#switchSync());
    this.auto.addEventListener('change', () => this.#switchAuto());
    get(this.element, '.toolbar-actions').append(
      button('Add account', { kind: 'primary', icon: 'plus', on: () => void accountForm() }),
    );
    get(this.element, '.rows').addEventListener('keydown', moveBetweenRows);
    document.addEventListener('keydown', this.#onFind);
  }

  get #view() {
    return /** @type {AccountsView} */ (store.views.accounts);
  }

  /**
   * @param {Views} views
   * @param {Views | null} before
   */
  show(views, before) {
    if (!views.accounts) return;
    if (views.progress !== before?.progress) get(this.element, 'kq-progress').show(views.progress);
    if (before && views.accounts === before.accounts && views.app?.status.state === before.app?.status.state) return;
    this.sync.checked = views.accounts.syncOn;
    this.auto.checked = views.accounts.autoConnect && views.accounts.canSync;
    this.#showBanners(views.accounts);
    this.#showRows(views.accounts);
    const device = (/** @type {Views | null} */ of) => `${of?.accounts?.canSync} ${of?.accounts?.syncOn}`;
    if (device(views) !== device(before)) this.list.refresh();
  }

  refresh() {
    this.list.refresh();
  }

  unmount() {
    document.removeEventListener('keydown', this.#onFind);
  }

  /** Find, as everywhere: Ctrl or Cmd and F. @param {KeyboardEvent} event */
  #onFind = (event) => {
    if (event.key !== 'f' || !(event.ctrlKey || event.metaKey) || document.querySelector('dialog[open]') || !this.element.checkVisibility()) return;
    event.preventDefault();
    this.searchField.focus();
    this.searchField.select();
  };

  async #switchSync() {
    const on = this.sync.checked;
    const view = this.#view;
    if (on && !view.canSync && store.views.app?.status.state !== 'paused') {
      this.sync.checked = false;
      void openSetup();
      return;
    }
    const done = await attempt(() => call('sync_set_on', { on }));
    if (!done) this.sync.checked = !on;
  }

  async #switchAuto() {
    const on = this.auto.checked;
    if (on && (!this.#view.canSync || !this.#view.syncOn)) {
      this.auto.checked = false;
      if (this.#view.canSync) this.sync.click();
      else void openSetup();
      return;
    }
    const view = on
      ? await attempt(autoConnect)
      : await attempt(() => call('accounts_set_auto_connect', { on: false, include: [] }));
    if (view) store.apply({ kind: 'accounts', view });
    else this.auto.checked = !on;
  }

  /** @param {AccountsView} view */
  #showBanners(view) {
    const state = store.views.app?.status.state;
    const banners = [];
    if (view.needsProof) {
      banners.push(
        banner({
          title: 'This device was removed',
          text: 'Prove it is you to open the accounts kept only here. Verify the device again to get the synced ones back.',
          iconName: 'ban',
          actions: [
            button('Prove it is you', { kind: 'primary', on: () => void attempt(proveIdentity) }),
            button('Verify this device again', { on: () => void openSetup('signIn') }),
          ],
        }),
      );
    } else if (state === 'removed') {
      banners.push(
        banner({
          title: 'This device was removed',
          text: 'Its synced accounts are Disabled. The ones kept only here still work.',
          iconName: 'ban',
          actions: [button('Verify this device again', { on: () => void openSetup('signIn') })],
        }),
      );
    }
    if (state === 'ended' && view.rows.some((row) => isSynced(row.state))) {
      banners.push(
        banner({
          title: 'Sync was ended',
          text: 'The server deletes what is left after seven days. Until then you can keep the synced accounts here as local ones.',
          iconName: 'cloud-off',
          actions: [button('Keep all as local', { kind: 'primary', on: () => void keepAllLocal() })],
        }),
      );
    }
    const available = view.rows.filter((row) => row.state === 'available');
    if (available.length > 1 && view.syncOn) {
      banners.push(
        banner({
          title: `${counted(available.length, 'account is', 'accounts are')} available on the server`,
          text: 'Retrieve them one by one in the list, or all at once.',
          attention: false,
          iconName: 'cloud-down',
          actions: [button('Retrieve all', { on: () => void attempt(() => call('accounts_retrieve', { accounts: available.map((row) => row.id) })) })],
        }),
      );
    }
    fill(get(this.element, '.banners'), ...banners);
  }

  /** @param {AccountsView} view */
  #showRows(view) {
    const { rows, empty } = listed(view, this.#search);
    this.list.show(view.rows.toSorted(byExchangeAndLabel));
    this.list.showOnly(new Set(rows.map((row) => row.id)));
    get(this.element, '.list-heading').hidden = rows.length === 0;
    get(this.element, '.toolbar').hidden = view.rows.length === 0 && !view.closed;
    get(this.element, '.list-frame').classList.toggle('bare', rows.length === 0 && !view.closed);
    fill(this.foot, view.closed && !this.#search ? closedRow(view.closed) : null, empty ? this.#emptyWords(empty) : null);
  }

  /** @param {'none' | 'nothingFound'} empty */
  #emptyWords(empty) {
    if (empty === 'nothingFound') {
      return emptyState({
        icon: 'search',
        title: `No account matches “${this.#search.trim()}”`,
        text: 'The search looks at label, exchange, key, tags and state.',
        actions: [button('Clear the search', { on: () => this.#clearSearch() })],
      });
    }
    return emptyState({
      icon: 'key',
      title: 'No accounts yet',
      text: 'Add the API key of an exchange account. It is kept encrypted on this device, and leaves it only if you switch sync on and choose it.',
      actions: [button('Add account', { kind: 'primary', icon: 'plus', on: () => void accountForm() })],
    });
  }

  #clearSearch() {
    this.#search = '';
    this.searchField.value = '';
    this.#showRows(this.#view);
    this.searchField.focus();
  }
}

/** @param {import('../bindings/view.d.ts').ClosedAccounts} closed */
function closedRow(closed) {
  return h('div', { class: 'row closed-row' }, icon('lock'), h('span', { class: 'closed-text' }, closedSentence(closed)), closedAction(closed.reason));
}

/** @param {import('../bindings/view.d.ts').ClosedReason} reason */
function closedAction(reason) {
  if (reason === 'noServer') return button('Try again', { on: () => void attempt(() => call('sync_now')) });
  if (reason === 'suspended') return button('See Sync', { on: () => goTo('sync') });
  return null;
}

async function keepAllLocal() {
  const view = await attempt(() => call('sync_keep_all_local'));
  if (view) store.apply({ kind: 'accounts', view });
}

/**
 * Up and down go from row to row, on the same control of each.
 *
 * @param {KeyboardEvent} event
 */
function moveBetweenRows(event) {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest('[role="menu"]') || target.getAttribute('aria-haspopup')) return;
  const names = /** @type {HTMLElement[]} */ ([...(target.closest('.rows')?.querySelectorAll('.row:not([hidden]) .row-name') ?? [])]);
  const at = names.findIndex((one) => one.closest('.row') === target.closest('.row'));
  const name = names[at + (event.key === 'ArrowDown' ? 1 : -1)];
  if (!name) return;
  event.preventDefault();
  name.focus();
}
