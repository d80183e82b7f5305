// Usage: node scripts/count-tests.js RESULTS. One line with the counts of all runners together.

import { readResults } from './test-results.js';

const { passed, failed, skipped } = readResults(process.argv[2]);
console.log(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
