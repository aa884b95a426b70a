// `cargo xtask test browser` (`page`, `samples`, `console`) starts Workers and the Box emulator, says by variables where
// they are, and runs one folder of stories.
import { defineConfig } from '@playwright/test';
import { certificate } from './support/certificate.mjs';

export default defineConfig({
  testDir: `stories/${process.env.KEYHOLE_STORIES}`,
  outputDir: `../../test-results/${process.env.KEYHOLE_STORIES}`,
  forbidOnly: true,
  retries: 0,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  workers: 2,
  fullyParallel: true,
  reporter: 'list',
  use: {
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    baseURL: process.env.KEYHOLE_WORKER_URL,
    browserName: 'chromium',
    locale: 'en-GB',
    timezoneId: 'Europe/Oslo',
    viewport: { width: 1280, height: 860 },
    trace: 'off',
    launchOptions: {
      executablePath: process.env.KEYHOLE_CHROMIUM || undefined,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
        // Names lead to the wire, each test's own proxy, or nowhere at all; and there only this key is believed.
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
        `--ignore-certificate-errors-spki-list=${certificate.fingerprint}`,
      ],
    },
  },
  projects: [
    // Beside each other: each test has a browser context and a session of its own.
    { name: 'together', testIgnore: '**/alone/**' },
    // What changes Box for everybody: one after the other, when nobody else is there.
    { name: 'alone', testMatch: '**/alone/**', dependencies: ['together'], fullyParallel: false, workers: 1 },
  ],
});
