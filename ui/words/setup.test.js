import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeGroups, nextStep, railSteps, standing } from './setup.js';

const STEPS = ['server', 'signIn', 'confirmAddress', 'secondFactor', 'verification', 'noLog', 'secretKey', 'newPassword', 'kit', 'compare', 'choose', 'done'];
const current = (setup) => railSteps(setup).find(({ state }) => state === 'current')?.title;

test('the first device goes by the recovery kit, a further one compares, recovery sets a password', () => {
  const titles = (path) => railSteps({ step: 'server', path }).map(({ title }) => title);
  assert.deepEqual(titles('firstDevice'), ['Server', 'Sign in', 'Confirm address', 'Second factor', 'Verify this device', 'Recovery kit', 'Choose accounts']);
  assert.deepEqual(titles('furtherDevice'), ['Server', 'Sign in', 'Second factor', 'Verify this device', 'Compare', 'Choose accounts']);
  assert.deepEqual(titles('recovery'), ['Server', 'Recovery code', 'Verify this device', 'Second factor', 'New password', 'Choose accounts']);
});

test('each step has its place, with everything before it done', () => {
  assert.equal(current({ step: 'verification', path: 'firstDevice' }), 'Verify this device');
  assert.equal(current({ step: 'secretKey', path: 'furtherDevice' }), 'Verify this device');
  const rail = railSteps({ step: 'kit', path: 'firstDevice' });
  assert.deepEqual(rail.map(({ state }) => state), ['done', 'done', 'done', 'done', 'done', 'current', 'ahead']);
  assert.ok(railSteps({ step: 'done', path: 'firstDevice' }).every(({ state }) => state === 'done'));
});

test('Sync shows four marks: signed in, second factor, verification mail, verified', () => {
  const marks = (step, path = 'firstDevice') => standing({ step, path }).map(({ state }) => state);
  assert.deepEqual(marks('signIn'), ['current', 'ahead', 'ahead', 'ahead']);
  assert.deepEqual(marks('verification'), ['done', 'done', 'current', 'ahead']);
  assert.deepEqual(marks('kit'), ['done', 'done', 'done', 'current']);
  assert.deepEqual(marks('done'), ['done', 'done', 'done', 'done']);
});

test('in a recovery the mail comes before the second factor', () => {
  const marks = (step) => standing({ step, path: 'recovery' }).map(({ state }) => state);
  assert.deepEqual(marks('verification'), ['done', 'ahead', 'current', 'ahead']);
  assert.deepEqual(marks('secondFactor'), ['done', 'current', 'done', 'ahead']);
});

test('every step says what to do next', () => {
  assert.ok(STEPS.every((step) => nextStep(step).endsWith('.')));
});

test('a code falls into its groups', () => {
  assert.deepEqual(codeGroups('KQ1-ABCDE-FGHIJ'), ['KQ1', 'ABCDE', 'FGHIJ']);
});
