/** Numbers, as people say them. */

/** A span of seconds, roughly. */
export function span(seconds) {
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min']];
  const [size, unit] = units.find(([size]) => seconds >= size * 2) ?? [1, 's'];
  return `${Math.floor(Math.max(0, seconds) / size)} ${unit}`;
}

export function bytes(count) {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const amount = count / 1000 ** step;
  return `${step && amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${units[step]}`;
}

/** The first letters of a token, enough to know it again. */
export const short = (value) => `${value.slice(0, 4)}…`;

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const DAY_AND_CLOCK = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** Moments: milliseconds since 1970, or as Box writes them. */
export const clock = (moment) => CLOCK.format(new Date(moment));
export const day = (moment) => DAY.format(new Date(moment));
export const dayAndClock = (moment) => DAY_AND_CLOCK.format(new Date(moment));

export const AUTH = {
  oauth2: 'People sign in (OAuth 2.0)',
  client_credentials: 'Server app, client credentials',
  jwt: 'Server app, JWT',
};

export const KINDS = { managed: 'Managed user', app_user: 'App user', service_account: 'Service account' };

export const TOKENS = { code: 'Code', access: 'Access token', refresh: 'Refresh token', child: 'Downscoped token' };
