// @ts-check
/** @import { AppView, Theme } from './bindings/view.d.ts' */
/** @import { Tab } from './nav.js' */

import { asProblem, call, listen } from './backend.js';
import { fill, get, icon, link } from './components/dom.js';
import { problemPage } from './components/loading.js';
import { attempt } from './components/toast.js';
import { goTo, panel, wireTabs } from './nav.js';
import { mountAccounts } from './screens/accounts.js';
import { mountGeneral } from './screens/general.js';
import { mountSync } from './screens/sync.js';
import { mountUnlock } from './screens/unlock.js';
import { mountWelcome } from './screens/welcome.js';
import { store } from './store.js';
import { statusSentence } from './words/status.js';

/** How often "2 min ago" is counted anew, and at most how often the backend hears that somebody is here. */
const TICK = 15_000;

const header = get(document, '#frame-header');
const gate = get(document, '#gate');
const MOUNTS = { accounts: mountAccounts, sync: mountSync, general: mountGeneral };

/** @type {Map<Tab, () => void>} what undoes each mounted screen */
const mounted = new Map();

async function start() {
  await listen((change) => store.hear(change));
  store.onOvertaken = (kind) => void attempt(() => fetchView(kind));
  store.subscribe((views, before) => {
    if (!views.app) return;
    if (views.app.stage !== before.app?.stage) showStage(views.app);
    if (views.app !== before.app) showFrame(views.app);
  });
  wireTabs(showTab);
  get(document, '#lock-now').addEventListener('click', () =>
    attempt(async () => store.apply({ kind: 'app', view: await call('app_lock') })),
  );
  setInterval(() => store.views.app && showFrame(store.views.app), TICK);
  tellActivity();
  await open();
}

/** @type {Record<Parameters<typeof store.onOvertaken>[0], 'app_view' | 'accounts_view' | 'sync_setup_view' | 'sync_view' | 'general_view'>} */
const VIEWS = { app: 'app_view', accounts: 'accounts_view', setup: 'sync_setup_view', sync: 'sync_view', general: 'general_view' };

/** @param {keyof typeof VIEWS} kind */
async function fetchView(kind) {
  // A view that was left in the meantime is fetched anew when it is opened again.
  if (store.views[kind] !== null) store.apply(/** @type {import('./bindings/view.d.ts').Change} */ ({ kind, view: await call(VIEWS[kind]) }));
}

async function open() {
  try {
    store.apply({ kind: 'app', view: await call('app_view') });
  } catch (reason) {
    gate.hidden = false;
    fill(gate, problemPage(asProblem(reason), open));
  }
}

/** @param {AppView} app */
function showStage(app) {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  for (const unmount of mounted.values()) unmount();
  mounted.clear();
  store.forget();
  // A locked window names no account, in what it told last neither.
  for (const place of ['#toasts', '#announcer']) fill(get(document, place));
  const isOpen = app.stage === 'open';
  header.hidden = !isOpen;
  gate.hidden = isOpen;
  for (const tab of /** @type {const} */ (['accounts', 'sync', 'general'])) fill(panel(tab));
  fill(gate);
  if (isOpen) goTo('accounts');
  else {
    for (const tab of /** @type {const} */ (['accounts', 'sync', 'general'])) panel(tab).hidden = true;
    if (app.stage === 'welcome') mountWelcome(gate);
    else mountUnlock(gate);
  }
}

/** @param {Tab} tab */
function showTab(tab) {
  if (!mounted.has(tab)) mounted.set(tab, MOUNTS[tab](panel(tab)));
}

/** @param {AppView} app */
function showFrame(app) {
  applyTheme(app.theme);
  document.title = app.profile === 'default' ? 'Keyquay' : `Keyquay: ${app.profile}`;
  get(document, '#lock-now').hidden = !app.canLock;
  const { text, icon: name, tone } = statusSentence(app.status, Date.now());
  const region = get(document, '#status');
  if (region.dataset.text === text) return;
  region.dataset.text = text;
  region.classList.toggle('attention', tone === 'attention');
  fill(region, icon(name), app.stage === 'open' ? link(text, () => goTo('sync')) : text);
}

/** @param {Theme} theme */
function applyTheme(theme) {
  if (theme === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.dataset.theme = theme;
}

/** Tells the backend that somebody is here, for the idle lock; never what they do. */
function tellActivity() {
  let last = 0;
  const tell = () => {
    const now = Date.now();
    if (now - last < TICK || store.views.app?.stage !== 'open') return;
    last = now;
    // An app that is closing has nobody to tell.
    call('app_active').catch(() => {});
  };
  for (const event of ['pointerdown', 'pointermove', 'keydown', 'wheel']) {
    document.addEventListener(event, tell, { passive: true });
  }
}

void start();
