import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference } from './components/keyed-list.js';
import { NO_VIEWS, Store, applyChange, mergeRows } from './store.js';

const status = (state) => ({ state, waiting: 0, lastSyncedAt: null, leaseEndsAt: null, problem: null });
const views = () => ({
  ...NO_VIEWS,
  app: { stage: 'open', status: status('synced') },
  accounts: { rows: [{ id: 'a' }, { id: 'b' }], closed: null },
  sync: { status: status('synced'), setup: { step: 'done' }, thisDevice: { id: 'd1', thisDevice: true }, otherDevices: [{ id: 'd2' }] },
});

test('changed rows keep their place, new ones follow, and the rest stay the same objects', () => {
  const rows = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
  const merged = mergeRows(rows, [{ id: 'b', label: 'new' }, { id: 'd' }], ['c']);
  assert.deepEqual(merged, [{ id: 'a' }, { id: 'b', label: 'new' }, { id: 'd' }]);
  assert.equal(merged[0], rows[0]);
});

test('an answer that was overtaken by what the backend told since is fetched anew', () => {
  const store = new Store();
  /** @type {string[]} */
  const fetched = [];
  store.onOvertaken = (kind) => fetched.push(kind);
  const first = { status: status('synced') };
  store.answered(first, store.heard());
  store.hear({ kind: 'status', status: status('offline') });
  store.apply({ kind: 'sync', view: first });
  assert.equal(store.views.sync.status.state, 'synced', 'there was none before');
  assert.deepEqual(fetched, ['sync']);

  const heard = store.heard();
  const late = { status: status('syncing'), setup: null };
  store.hear({ kind: 'status', status: status('synced') });
  store.answered(late, heard);
  store.apply({ kind: 'sync', view: late });
  assert.equal(store.views.sync.status.state, 'synced');
  assert.deepEqual(fetched, ['sync', 'sync']);

  const timely = { status: status('paused'), setup: null };
  store.answered(timely, store.heard());
  store.apply({ kind: 'sync', view: timely });
  assert.equal(store.views.sync.status.state, 'paused');
});

test('a row that a command answers does not undo what was told of it since', () => {
  const store = new Store();
  store.apply({ kind: 'accounts', view: { rows: [{ id: 'a', state: 'localOnly' }] } });
  const row = { id: 'a', state: 'uploading' };
  const heard = store.heard();
  store.hear({ kind: 'accountRows', changed: [{ id: 'a', state: 'synced' }], removed: [] });
  store.answered(row, heard);
  store.apply({ kind: 'accountRows', changed: [row], removed: [] });
  assert.equal(store.views.accounts.rows[0].state, 'synced');
});

test('a row that is both changed and removed is gone', () => {
  assert.deepEqual(mergeRows([{ id: 'a' }], [{ id: 'a', label: 'x' }, { id: 'z' }], ['a', 'z']), []);
});

test('the difference of two lists names what came, went and changed', () => {
  const kept = { id: 'a' };
  const shown = new Map([['a', kept], ['b', { id: 'b' }], ['c', { id: 'c' }]]);
  const result = difference(shown, [kept, { id: 'b' }, { id: 'd' }]);
  assert.deepEqual(result, { removed: ['c'], added: [{ id: 'd' }], changed: [{ id: 'b' }] });
});

test('rows that come before their screen was asked for change nothing', () => {
  assert.equal(applyChange(NO_VIEWS, { kind: 'accountRows', changed: [{ id: 'a' }], removed: [] }), NO_VIEWS);
});

test('a new status reaches the header and the Sync screen at once, and leaves the accounts alone', () => {
  const before = views();
  const after = applyChange(before, { kind: 'status', status: status('offline') });
  assert.equal(after.app.status.state, 'offline');
  assert.equal(after.sync.status.state, 'offline');
  assert.equal(after.accounts, before.accounts);
});

test('this device and the others are told apart in device rows', () => {
  const changed = [{ id: 'd1', thisDevice: true, name: 'Laptop' }, { id: 'd2', thisDevice: false, state: 'suspended' }];
  const { sync } = applyChange(views(), { kind: 'deviceRows', changed, removed: [] });
  assert.equal(sync.thisDevice.name, 'Laptop');
  assert.deepEqual(sync.otherDevices, [changed[1]]);
});

test('what was shown of an open vault is forgotten when it locks', () => {
  const store = new Store();
  store.views = views();
  store.forget();
  assert.deepEqual(Object.keys(store.views).filter((key) => store.views[key] !== null), ['app']);
});
