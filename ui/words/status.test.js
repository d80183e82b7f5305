import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activitySentence, isRunning, lastSyncSentence, progressSentence, statusSentence } from './status.js';

const NOW = 1_000_000_000;
const status = (state, more = {}) => ({ state, waiting: 0, lastSyncedAt: NOW - 120_000, leaseEndsAt: null, problem: null, ...more });
const words = (state, more) => statusSentence(status(state, more), NOW).text;

test('the header says in one short sentence how sync stands', () => {
  assert.equal(words('synced'), 'Synced 2 min ago');
  assert.equal(words('offline', { waiting: 2 }), 'Offline: 2 changes wait');
  assert.equal(words('offline', { waiting: 1 }), 'Offline: 1 change waits');
  assert.equal(words('removed'), 'This device was removed');
  assert.equal(words('off', { lastSyncedAt: null }), 'Sync is off');
});

test('Synced is never said while own changes are not acknowledged', () => {
  assert.doesNotMatch(words('synced', { waiting: 3 }), /Synced/);
});

test('every state has words of its own, and only those that need a person call for attention', () => {
  const states = ['off', 'settingUp', 'paused', 'connecting', 'syncing', 'synced', 'offline', 'closed', 'suspended', 'removed', 'ended', 'stopped'];
  const sentences = states.map((state) => statusSentence(status(state), NOW));
  assert.equal(new Set(sentences.map(({ text }) => text)).size, states.length);
  const calling = states.filter((_, index) => sentences[index].tone === 'attention');
  assert.deepEqual(calling, ['offline', 'closed', 'suspended', 'removed', 'ended', 'stopped']);
});

test('a failed sync is not told as a success', () => {
  const last = { at: NOW - 60_000, outcome: 'complete', received: 3, sent: 1, problem: null };
  assert.equal(lastSyncSentence(last, NOW), 'Last sync 1 min ago: everything is in step, 3 changes received, 1 sent.');
  assert.match(lastSyncSentence({ ...last, outcome: 'failed' }, NOW), /failed/);
  assert.match(lastSyncSentence({ ...last, outcome: 'incomplete' }, NOW), /did not open/);
  assert.equal(lastSyncSentence(null, NOW), 'Not synced yet.');
});

test('progress says what is done and how far it is, and ends when all is done', () => {
  assert.equal(progressSentence({ what: 'retrieving', done: 3, total: 9 }), 'Retrieving accounts: 3 of 9');
  assert.equal(isRunning({ what: 'retrieving', done: 3, total: 9 }), true);
  assert.equal(isRunning({ what: 'retrieving', done: 9, total: 9 }), false);
  assert.equal(isRunning({ what: 'retrieving', done: 0, total: 0 }), false);
  assert.equal(isRunning(null), false);
});

test('an entry of the log becomes a sentence, also where its names cannot be read', () => {
  const entry = (what, more = {}) => activitySentence({ seq: 1, at: NOW, by: 'Desk PC', byThisDevice: false, what, ...more });
  assert.equal(entry({ kind: 'accountSaved', label: 'Main', first: true }), 'Desk PC uploaded “Main”');
  assert.equal(entry({ kind: 'accountSaved', label: null, first: false }, { by: null }), 'Another device changed an account');
  assert.equal(entry({ kind: 'accountDeleted', label: 'Main' }, { byThisDevice: true }), 'This device deleted “Main”');
  assert.equal(entry({ kind: 'deviceRemoved', device: null }), 'You removed a device');
});
