import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

/** Without these Chromium looks for hosts of its maker at every start. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's Chromium, with a profile of its own that is gone with it. */
export const startTestBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: quiet, chromiumSandbox: false });

export interface WatchedPage {
  readonly page: Page;
  /** What the browser complained about: errors of scripts, and what the content security policy kept back. */
  readonly complaints: readonly string[];
}

/** A page whose complaints are kept. */
export async function openPage(context: BrowserContext): Promise<WatchedPage> {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return { page, complaints };
}
