// @ts-check

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * "just now", "2 min ago", "3 h ago", "yesterday"…
 *
 * @param {number} at milliseconds since 1970
 * @param {number} now
 */
export function ago(at, now) {
  const passed = now - at;
  if (passed < MINUTE) return 'just now';
  return `${span(passed)} ago`;
}

/**
 * The age of a key in two or three characters and a unit: "5 min", "3 h", "12 d", "4 mo", "2 y".
 *
 * @param {number} passed milliseconds
 */
export function span(passed) {
  if (passed < MINUTE) return 'new';
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h`;
  const days = Math.floor(passed / DAY);
  if (days < 60) return `${days} d`;
  if (days < 730) return `${Math.floor(days / 30.44)} mo`;
  return `${Math.floor(days / 365.25)} y`;
}

/** @param {number} at */
export function date(at) {
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

/** @param {number} at */
export function dateAndTime(at) {
  const time = new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return `${date(at)}, ${time}`;
}

/**
 * What there is to say about an expiry date, or nothing while it is far away.
 *
 * @param {string | null} expiresOn YYYY-MM-DD
 * @param {number} now
 * @returns {{ text: string, urgent: boolean } | null}
 */
export function expiry(expiresOn, now) {
  if (!expiresOn) return null;
  const [year, month, day] = expiresOn.split('-').map(Number);
  const today = new Date(now);
  const days = Math.round(
    (Date.UTC(year, month - 1, day) - Date.UTC(today.getFullYear(), today.getMonth(), today.getDate())) / DAY,
  );
  if (Number.isNaN(days)) return null;
  if (days < 0) return { text: 'Expired', urgent: true };
  if (days === 0) return { text: 'Last day', urgent: true };
  return days <= 60 ? { text: `${days} d left`, urgent: days <= 14 } : null;
}

/**
 * "1 account", "4 accounts"
 *
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
