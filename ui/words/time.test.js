import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, counted, expiry, span } from './time.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

test('times are counted in the largest unit that still says something', () => {
  const words = [0, 59_999, MINUTE, 59 * MINUTE, 60 * MINUTE, DAY, 59 * DAY, 61 * DAY, 729 * DAY, 731 * DAY].map(span);
  assert.deepEqual(words, ['new', 'new', '1 min', '59 min', '1 h', '1 d', '59 d', '2 mo', '23 mo', '2 y']);
});

test('a clock that is behind the server says just now, and not minus one minute', () => {
  assert.equal(ago(2_000_000, 1_000_000), 'just now');
  assert.equal(ago(0, 2 * MINUTE), '2 min ago');
});

test('an expiry date is told when it comes near, and urgent in its last two weeks', () => {
  const now = new Date(2026, 5, 10, 23, 30).getTime();
  assert.equal(expiry(null, now), null);
  assert.equal(expiry('2027-06-10', now), null);
  assert.deepEqual(expiry('2026-07-10', now), { text: '30 d left', urgent: false });
  assert.deepEqual(expiry('2026-06-11', now), { text: '1 d left', urgent: true });
  assert.deepEqual(expiry('2026-06-10', now), { text: 'Last day', urgent: true });
  assert.deepEqual(expiry('2026-06-09', now), { text: 'Expired', urgent: true });
  assert.equal(expiry('soon', now), null);
});

test('one account is one account', () => {
  assert.equal(counted(1, 'account'), '1 account');
  assert.equal(counted(0, 'account'), '0 accounts');
  assert.equal(counted(1200, 'account is', 'accounts are'), '1,200 accounts are');
});
