// @ts-check
import { ask } from '../components/dialog.js';

/** What "Keep synced keys usable offline" gives up, before it is switched on. */
export async function confirmOfflineUse() {
  const agreed = await ask({
    title: 'Keep synced keys usable offline?',
    text: [
      'The server’s half of the lock is then kept in this computer’s keyring. Synced accounts open after a restart even when the server does not answer.',
      'What you give up: if this device is stolen and stays offline, removing it no longer closes the synced keys on it.',
    ],
    yes: 'Keep usable offline',
    careful: true,
    onYes: async () => true,
  });
  return agreed === true;
}
