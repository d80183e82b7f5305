import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byExchangeAndLabel, closedSentence, exchangesLike, listed, matching, menuActions, permissionWords, statePhrase } from './accounts.js';

const row = (more = {}) => ({
  id: '00',
  exchange: 'binance',
  exchangeName: 'Binance',
  label: 'Main',
  keyHint: 'AbC…9xZ',
  tags: ['spot'],
  environment: 'live',
  permissions: { read: 'yes', trade: 'unknown', withdraw: 'no' },
  expiresOn: null,
  createdAt: 0,
  changedAt: 0,
  state: 'localOnly',
  hasHistory: false,
  ...more,
});
const STATES = ['localOnly', 'localOnlyPinned', 'waitingToUpload', 'uploading', 'synced', 'available', 'retrieving', 'conflictKept', 'withdrawn', 'damaged', 'disabledVerifyDevice', 'disabledProveIdentity'];

test('each state reads as the product names it', () => {
  assert.deepEqual(STATES.map(statePhrase), [
    'Local only',
    'Local only, pinned',
    'Waiting to upload',
    'Uploading',
    'Synced',
    'Available: Retrieve',
    'Retrieving',
    'Conflict kept: choose',
    'Withdrawn: keep or delete',
    'Damaged: see versions',
    'Disabled: verify this device',
    'Disabled: prove it is you',
  ]);
});

test('what cannot be opened offers neither to reveal, copy nor edit it', () => {
  const device = { canSync: true, syncOn: true };
  for (const state of ['available', 'retrieving', 'damaged', 'disabledVerifyDevice', 'disabledProveIdentity']) {
    const actions = menuActions(row({ state }), device);
    assert.ok(!actions.some((action) => ['reveal', 'copy', 'edit'].includes(action)), state);
  }
});

test('a disabled account cannot be deleted before its owner is proven', () => {
  assert.ok(!menuActions(row({ state: 'disabledProveIdentity' }), { canSync: false, syncOn: true }).includes('delete'));
  assert.ok(menuActions(row(), { canSync: false, syncOn: false }).includes('delete'));
});

test('uploading is offered only where sync is on and this device verified', () => {
  assert.ok(menuActions(row(), { canSync: true, syncOn: true }).includes('upload'));
  assert.ok(!menuActions(row(), { canSync: true, syncOn: false }).includes('upload'));
  assert.ok(!menuActions(row(), { canSync: false, syncOn: true }).includes('upload'));
  assert.ok(menuActions(row({ state: 'synced' }), { canSync: true, syncOn: true }).includes('keepLocal'));
});

test('the search finds every word, in any part, whatever its case and accents', () => {
  const rows = [row(), row({ id: '01', label: 'Añejo grid', exchangeName: 'OKX', tags: ['bot'] })];
  const found = (text) => matching(rows, text).map(({ id }) => id);
  assert.deepEqual(found(''), ['00', '01']);
  assert.deepEqual(found('OKX anejo'), ['01']);
  assert.deepEqual(found('okx main'), []);
  assert.deepEqual(found('abc…9'), ['00', '01']);
  assert.deepEqual(found('local only'), ['00', '01']);
});

test('an empty list and a search without result are told apart', () => {
  const view = (rows, closed = null) => ({ rows, closed, syncOn: false, autoConnect: false, canSync: false, needsProof: false });
  assert.equal(listed(view([]), '').empty, 'none');
  assert.equal(listed(view([row()]), 'nothing').empty, 'nothingFound');
  assert.equal(listed(view([row()]), '').empty, null);
  assert.equal(listed(view([], { count: 4, reason: 'noServer' }), '').empty, null);
});

test('rows stand by exchange and label, numbers as numbers', () => {
  const rows = [row({ id: '3', label: 'Grid 10' }), row({ id: '2', label: 'Grid 9' }), row({ id: '1', exchangeName: 'Kraken' })];
  const order = rows.toSorted(byExchangeAndLabel).map(({ id }) => id);
  assert.deepEqual(order, ['2', '3', '1']);
});

test('closed accounts say how many they are and what they wait for', () => {
  assert.equal(closedSentence({ count: 4, reason: 'noServer' }), '4 synced accounts, Closed until the server answers');
  assert.equal(closedSentence({ count: 1, reason: 'removed' }), '1 synced account, Disabled: this device was removed');
});

test('the picker puts names that begin with the text first, knows aliases and never loses Other', () => {
  const exchanges = [
    { id: 'bybit', name: 'Bybit', aliases: ['bybiteu'] },
    { id: 'okx', name: 'OKX', aliases: ['okex', 'myokx'] },
    { id: 'krakenfutures', name: 'Kraken Futures', aliases: ['bit-fake'] },
    { id: 'other', name: 'Other', aliases: [] },
  ];
  const names = (text) => exchangesLike(exchanges, text).map(({ id }) => id);
  assert.deepEqual(names('bi'), ['krakenfutures', 'bybit', 'other']);
  assert.deepEqual(names('OKex'), ['okx', 'other']);
  assert.deepEqual(names('kraken f'), ['krakenfutures', 'other']);
  assert.deepEqual(names(''), ['bybit', 'okx', 'krakenfutures', 'other']);
});

test('only permissions that are known to be given are told', () => {
  assert.equal(permissionWords({ read: 'yes', trade: 'yes', withdraw: 'unknown' }), 'May read, trade');
  assert.equal(permissionWords({ read: 'unknown', trade: 'no', withdraw: 'no' }), '');
});
