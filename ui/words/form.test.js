import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeKey, splitTags } from './form.js';

test('tags are split at commas, without empty ones and repetitions', () => {
  assert.deepEqual(splitTags(' bot,, spot , bot,'), ['bot', 'spot']);
  assert.deepEqual(splitTags(''), []);
});

test('a field that a person names gets a key that no other field has', () => {
  assert.equal(freeKey('Sub account ID', new Set()), 'subAccountId');
  assert.equal(freeKey('API key', new Set(['apiKey'])), 'apiKey2');
  assert.equal(freeKey('Schlüssel', new Set()), 'schlussel');
  assert.equal(freeKey('密钥', new Set(['field'])), 'field2');
});
