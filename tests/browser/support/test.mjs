// `test` for all stories: a browser context of its own, everything that it sees recorded, and what holds in every
// story looked after at its end: no policy was violated, no script failed, no secret was seen.
import { test as base, expect } from '@playwright/test';
import { Journey } from './journey.mjs';
import { AUTH } from './places.mjs';
import * as secrets from './secrets.mjs';
import { Wire } from './wire.mjs';
import { Witness } from './witness.mjs';

export { expect };

export const test = base.extend({
  /** Policies that a story means to violate, as `{ violations: true }`, and failures of scripts that it provokes. */
  means: [{ violations: false, errors: false }, { option: true }],

  wire: async ({}, use) => {
    const wire = await Wire.open();
    await use(wire);
    await wire.close();
  },

  // Chromium leaves loopback addresses out unless told otherwise.
  proxy: async ({ wire }, use) => use({ server: wire.address, bypass: '<-loopback>' }),

  witness: [
    async ({ context, wire, means }, use) => {
      const witness = await Witness.of(context);
      await use(witness);
      const testimony = await witness.testimony();
      if (!means.violations) {
        expect(witness.violations, 'violations of a policy').toEqual([]);
      }
      if (!means.errors) {
        expect(witness.errors, 'scripts that failed').toEqual([]);
      }
      const answers = (exchanges) => Buffer.concat(exchanges.map(({ seen }) => seen));
      const ours = await secrets.issuedFor(wire.to('/auth/callback').map(({ url }) => new URL(url).searchParams.get('code')));
      const places = { ...testimony, 'an answer': answers(wire.exchanges) };
      expect(secrets.found([...secrets.deployed(), ...ours.grants], places), 'secrets that the browser saw').toEqual([]);
      const elsewhere = { ...testimony, 'another answer': answers(wire.exchanges.filter(({ path }) => path !== '/api/tokens')) };
      expect(secrets.found(ours.children, elsewhere), 'passes outside of memory').toEqual([]);
    },
    { auto: true },
  ],

  /** A page, and what a person does there. */
  robin: async ({ page, witness }, use) => use(new Journey(page, witness)),

  /** The same, signed in. */
  inside: async ({ robin }, use) => {
    await robin.signIn();
    await use(robin);
  },

  /** The same at the Keyhole that pages of other origins embed: `places.mjs`. */
  atKeyhole: async ({ robin }, use) => {
    await robin.signIn(AUTH);
    await use(robin);
  },
});
