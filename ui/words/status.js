// @ts-check
/** @import { SyncStatus, SyncView, Progress, ActivityKind, Activity, Platform, DeviceState } from '../bindings/view.d.ts' */

import { ago, counted } from './time.js';

/** @typedef {{ text: string, icon: string, tone: 'calm' | 'attention' }} Sentence */

/**
 * The header's one short sentence.
 *
 * @param {SyncStatus} status
 * @param {number} now
 * @returns {Sentence}
 */
export function statusSentence(status, now) {
  const { state, waiting, lastSyncedAt } = status;
  const calm = (/** @type {string} */ text, /** @type {string} */ icon) => ({ text, icon, tone: /** @type {const} */ ('calm') });
  const attention = (/** @type {string} */ text, /** @type {string} */ icon) => ({ text, icon, tone: /** @type {const} */ ('attention') });
  switch (state) {
    case 'off':
      return calm('Sync is off', 'device');
    case 'settingUp':
      return calm('Sync: set-up not finished', 'steps');
    case 'paused':
      return calm('Sync is paused', 'pause');
    case 'connecting':
      return calm('Connecting…', 'sync');
    case 'syncing':
      return calm('Syncing…', 'sync');
    case 'synced':
      if (waiting > 0) return calm(`${counted(waiting, 'change')} on the way`, 'cloud-up');
      return calm(lastSyncedAt === null ? 'Synced' : `Synced ${ago(lastSyncedAt, now)}`, 'cloud-check');
    case 'offline':
      if (waiting > 0) return attention(`Offline: ${counted(waiting, 'change')} ${waiting === 1 ? 'waits' : 'wait'}`, 'cloud-off');
      return attention(lastSyncedAt === null ? 'Offline' : `Offline: synced ${ago(lastSyncedAt, now)}`, 'cloud-off');
    case 'closed':
      return attention('Offline: synced accounts are Closed', 'cloud-off');
    case 'suspended':
      return attention('This device is suspended', 'ban');
    case 'removed':
      return attention('This device was removed', 'ban');
    case 'ended':
      return attention('Sync was ended', 'cloud-off');
    case 'stopped':
      return attention('Sync stopped', 'alert');
  }
}

/**
 * How the last sync ended, honestly.
 *
 * @param {SyncView['lastSync']} last
 * @param {number} now
 */
export function lastSyncSentence(last, now) {
  if (!last) return 'Not synced yet.';
  const when = ago(last.at, now);
  const moved = movedWords(last.received, last.sent);
  switch (last.outcome) {
    case 'complete':
      return `Last sync ${when}: everything is in step${moved ? `, ${moved}` : ''}.`;
    case 'incomplete':
      return `Last sync ${when}: some accounts did not open, the rest is in step${moved ? ` (${moved})` : ''}.`;
    case 'failed':
      return `Last try ${when}: it failed${moved ? ` after ${moved}` : ''}. Nothing is lost.`;
  }
}

/**
 * @param {number} received
 * @param {number} sent
 */
function movedWords(received, sent) {
  const parts = [];
  if (received > 0) parts.push(`${counted(received, 'change')} received`);
  if (sent > 0) parts.push(`${received > 0 ? sent : counted(sent, 'change')} sent`);
  return parts.join(', ');
}

/** @param {Progress} progress */
export function progressSentence({ what, done, total }) {
  const of = `${Math.min(done, total)} of ${total}`;
  switch (what) {
    case 'retrieving':
      return `Retrieving accounts: ${of}`;
    case 'uploading':
      return `Uploading accounts: ${of}`;
    case 'restoring':
      return `Restoring accounts: ${of}`;
    case 'sealing':
      return `Sealing records anew: ${of}`;
    case 'signingIn':
      return `Working out your keys: step ${Math.min(done + 1, total)} of ${total}`;
  }
}

/** @param {Progress | null} progress */
export function isRunning(progress) {
  return progress !== null && progress.total > 0 && progress.done < progress.total;
}

/** @param {Platform} platform */
export function platformName(platform) {
  return { linux: 'Linux', macOs: 'macOS', windows: 'Windows', unknown: 'Platform unknown' }[platform];
}

/**
 * @param {DeviceState} state
 * @returns {Sentence}
 */
export function deviceState(state) {
  switch (state) {
    case 'pending':
      return { text: 'Not verified yet', icon: 'clock', tone: 'calm' };
    case 'active':
      return { text: 'Verified', icon: 'check', tone: 'calm' };
    case 'suspended':
      return { text: 'Suspended', icon: 'pause', tone: 'attention' };
    case 'removed':
      return { text: 'Removed', icon: 'ban', tone: 'attention' };
    case 'offChain':
      return { text: 'Shows another history', icon: 'alert', tone: 'attention' };
  }
}

/**
 * An entry of the signed log as a sentence.
 *
 * @param {Activity} entry
 */
export function activitySentence(entry) {
  const by = entry.byThisDevice ? 'This device' : (entry.by ?? 'Another device');
  return inWords(entry.what, by);
}

/**
 * @param {ActivityKind} what
 * @param {string} by
 */
function inWords(what, by) {
  const account = 'label' in what && what.label !== null ? `“${what.label}”` : 'an account';
  const device = 'device' in what && what.device !== null ? `the device “${what.device}”` : 'a device';
  switch (what.kind) {
    case 'syncStarted':
      return 'You switched sync on and made your recovery kit';
    case 'deviceAdded':
      return `You added ${device}`;
    case 'deviceRemoved':
      return `You removed ${device}`;
    case 'unlockChanged':
      return 'You changed your password or recovery code';
    case 'accountSaved':
      return what.first ? `${by} uploaded ${account}` : `${by} changed ${account}`;
    case 'accountDeleted':
      return `${by} deleted ${account}`;
    case 'accountWithdrawn':
      return `${by} keeps ${account} local only`;
    case 'syncEnded':
      return 'You ended sync';
  }
}
