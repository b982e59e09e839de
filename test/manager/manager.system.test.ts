import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationBody, ServiceVmBody } from '../../workflows/contract/http.ts';
import { eventually } from '../support/eventually.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';
import { axeViolations } from './support/axe-violations.ts';
import { openPage, startTestBrowser } from './support/test-browser.ts';
import { startTestManager, type TestManager } from './support/test-manager.ts';

let cloudlet: TestCloudlet;
let manager: TestManager;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: readonly string[];

beforeAll(async () => {
  [cloudlet, browser] = await Promise.all([startTestCloudlet(), startTestBrowser()]);
  manager = await startTestManager(cloudlet.url);
  await cloudlet.addEchoService();
  context = await browser.newContext({ colorScheme: 'light' });
  ({ page, complaints } = await openPage(context));
});
afterAll(async () => {
  await browser?.close();
  await manager?.stop();
  await cloudlet?.stop();
});

const signInLink = async (): Promise<string> => `${manager.url}/sign-in?code=${await cloudlet.admin.signInCode()}`;
const row = (name: string) => page.getByRole('row').filter({ hasText: name });
const status = (text: string) => page.getByRole('status').filter({ hasText: text, visible: true });

async function visit(path: string): Promise<void> {
  await page.goto(manager.url + path);
  // A page is streamed: until its scripts have put them in place, its late parts are in the document twice.
  await page.locator('div[hidden][id^="S:"]').first().waitFor({ state: 'detached' });
  await status('Live').waitFor();
}

/** Whether nobody loaded the page anew since the mark was set: what changed on it changed live. */
const mark = () => page.evaluate('void (globalThis.notReloaded = true)');
const notReloaded = () => page.evaluate<boolean>('globalThis.notReloaded === true');

const latestOperation = async (query: string): Promise<OperationBody> => {
  const { operations } = await cloudlet.admin.request<{ operations: OperationBody[] }>('GET', `/v1/operations?limit=1&${query}`);
  if (!operations[0]) throw new Error(`No operation is ${query}`);
  return operations[0];
};

describe('signing in', () => {
  it('takes a click on the page that the link opens, and leaves no code in the URL', async () => {
    const link = await signInLink();
    await page.goto(link);
    await page.goto(link);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Ready' }).waitFor();
    expect(page.url()).toBe(`${manager.url}/`);
    const [session] = (await context.cookies()).filter(({ name }) => name === `cloudlet-manager-${manager.port}`);
    expect(session).toMatchObject({ httpOnly: true, sameSite: 'Strict' });

    const another = await browser.newContext();
    const { page: second } = await openPage(another);
    await second.goto(link);
    await second.getByRole('button', { name: 'Sign in' }).click();
    await second.getByText('This link was used already').waitFor();
    await second.getByText('npx cloudlet sign-in').waitFor();
    await another.close();
  });

  it('works without scripts', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false });
    const { page: simple } = await openPage(plain);
    await simple.goto(await signInLink());
    await simple.getByRole('button', { name: 'Sign in' }).click();
    await simple.waitForURL(`${manager.url}/`);
    expect(await simple.getByRole('heading', { level: 1 }).textContent()).not.toContain('Sign in');
    await plain.close();
  });

  it('ends by signing out, and the old session with it', async () => {
    const other = await browser.newContext();
    const { page: leaving } = await openPage(other);
    await leaving.goto(await signInLink());
    await leaving.getByRole('button', { name: 'Sign in' }).click();
    await leaving.getByRole('heading', { name: 'Ready' }).waitFor();
    const cookies = await other.cookies();
    await leaving.getByRole('button', { name: 'Sign out' }).click();
    await leaving.waitForURL(`${manager.url}/sign-in`);
    await other.addCookies(cookies);
    await leaving.goto(`${manager.url}/services`);
    await leaving.waitForURL(`${manager.url}/sign-in?session=ended`);
    expect(await leaving.getByRole('heading', { level: 1 }).textContent()).toBe('Your session is over');
    await other.close();
  });
});

describe('the overview', () => {
  it('shows health, capacity and load', async () => {
    await visit('/');
    await page.getByRole('heading', { name: 'Ready' }).waitFor();
    await page.getByText('Database answers').waitFor();
    const memory = page.getByRole('meter', { name: 'Memory reserved' });
    expect(await memory.getAttribute('aria-valuetext')).toMatch(/^0 MiB of [\d.]+ [GM]iB$/);
    await page.getByText('TCG (emulated)').or(page.getByText('KVM (hardware)')).waitFor();
    await page.getByRole('link', { name: /Build test\.echo/ }).waitFor();
  });
});

describe('a Service VM', () => {
  it('is started, becomes ready and is stopped before one’s eyes', async () => {
    await visit('/services');
    await mark();
    await page.getByRole('button', { name: 'Start test.echo' }).click();
    await page.getByText('test.echo starts').waitFor();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Service VMs' }).click();
    await row('test.echo').getByText('Ready', { exact: true }).waitFor();
    await page.getByText('test.echo is ready').waitFor();
    const address = await row('test.echo')
      .getByRole('link', { name: /^127\.0\.0\.1:\d+/ })
      .getAttribute('href');
    expect((await fetch(`${address}health`)).status).toBe(200);
    await row('test.echo').getByRole('button', { name: 'Hold test.echo' }).click();
    await page.getByText('test.echo is held').waitFor();

    await row('test.echo').getByRole('button', { name: 'Stop test.echo' }).click();
    const dialog = page.getByRole('alertdialog', { name: 'Stop test.echo?' });
    await dialog.getByRole('button', { name: 'Keep it running' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Stop');
    await page.keyboard.press('Enter');
    await dialog.getByRole('button', { name: 'Stop test.echo' }).click();
    await page.getByText('No Service VM runs').waitFor();
    await page.getByText('test.echo has stopped').waitFor();
    expect(await notReloaded()).toBe(true);
    await eventually(async () => expect(await cloudlet.held()).toEqual([]));
  });

  it('appears and goes although somebody else started it, and has a page that says all', async () => {
    await visit('/service-vms');
    await mark();
    const { serviceVm } = await cloudlet.admin.request<{ serviceVm: ServiceVmBody }>('POST', '/v1/service-vms', { serviceId: 'test.echo' });
    await row('test.echo').getByText('Ready', { exact: true }).waitFor();
    await row('test.echo').getByRole('link', { name: 'test.echo', exact: true }).click();
    await page.getByRole('heading', { name: 'test.echo', level: 1 }).waitFor();
    await page.getByText(serviceVm.id).first().waitFor();
    await page.getByRole('link', { name: /Start test\.echo/ }).waitFor();
    await cloudlet.admin.request('POST', `/v1/service-vms/${serviceVm.id}/stop`);
    await page.getByText('It was stopped').waitFor();
    expect(await notReloaded()).toBe(true);
  });
});

describe('a running operation', () => {
  it('shows how far it is, on every page, and is cancelled', async () => {
    const readiness = { kind: 'http', guestPort: 8080, path: '/missing', timeoutSeconds: 300 } as const;
    const built = cloudlet.addEchoService({ serviceId: 'test.never', readiness }).catch((error: Error) => error.message);
    await visit('/operations?state=running');
    await mark();
    const progress = page.getByRole('progressbar', { name: 'Build test.never' });
    await page.getByText('Waiting until the service answers').waitFor();
    expect(await progress.getAttribute('aria-valuetext')).toBe('Step 5 of 7: Waiting until the service answers');
    expect(
      await row('Build test.never')
        .getByRole('link', { name: /Temporal UI/ })
        .getAttribute('href'),
    ).toContain('build-service-image');
    await page.getByRole('link', { name: 'Services', exact: true }).click();
    await page.getByText('Building test.never').waitFor();
    await progress.first().waitFor();

    const { id } = await latestOperation('state=running');
    await visit(`/operations/${id}`);
    await mark();
    await page.getByRole('listitem').filter({ hasText: 'Booting the guest' }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await page.getByRole('button', { name: /^Cancel/ }).click();
    const dialog = page.getByRole('alertdialog');
    expect(await axeViolations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel “Build test.never”' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor();
    await page.getByText('Build test.never was cancelled').waitFor();
    expect(await notReloaded()).toBe(true);
    expect(await built).toContain('cancelled');
  });
});

describe('when something is down', () => {
  it('says that the API is, keeps what it shows, and recovers', async () => {
    await visit('/services');
    await mark();
    cloudlet.kill('api');
    await page.getByRole('alert').filter({ hasText: 'The cloudlet’s API does not answer' }).waitFor();
    await row('test.echo').waitFor();
    await cloudlet.untilReady();
    await status('Live').waitFor();
    await page.getByText('The cloudlet’s API does not answer').waitFor({ state: 'detached' });
    expect(await notReloaded()).toBe(true);
  });

  it('survives that the manager itself is started anew', async () => {
    await visit('/services');
    await mark();
    await manager.stop();
    await page.getByRole('alert').filter({ hasText: 'The manager does not answer' }).waitFor();
    manager = await startTestManager(cloudlet.url, manager.port);
    await status('Live').waitFor();
    expect(await notReloaded()).toBe(true);
  });
});

describe('how it looks', () => {
  const background = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');

  it('follows the system, until somebody chooses', async () => {
    await visit('/');
    const light = await background();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.getByRole('radio', { name: 'Light' }).check({ force: true });
    expect(await background()).toBe(light);
    await visit('/services');
    expect(await background()).toBe(light);
    await page.getByRole('radio', { name: 'As the system' }).check({ force: true });
    expect(await background()).toBe(dark);
  });

  it('fits narrow pages and passes axe on every page, light and dark', async () => {
    const { serviceVm } = await cloudlet.admin.request<{ serviceVm: ServiceVmBody }>('POST', '/v1/service-vms', { serviceId: 'test.echo' });
    const { id: operationId } = await latestOperation('state=cancelled');
    const faults: string[] = [];
    const paths = [
      '/',
      '/services',
      '/service-vms?show=all',
      `/service-vms/${serviceVm.id}`,
      '/operations',
      `/operations/${operationId}`,
      '/plugins',
      '/nowhere',
    ];
    const check = async (where: string, scope?: 'colours') =>
      faults.push(...(await axeViolations(page, scope)).map((violation) => `${where}: ${violation}`));
    for (const path of [...paths, '/sign-in', '/sign-in?code=x']) {
      await page.emulateMedia({ colorScheme: 'light' });
      await (path.startsWith('/sign-in') ? page.goto(manager.url + path) : visit(path));
      await check(path);
      await page.emulateMedia({ colorScheme: 'dark' });
      await check(`${path} in the dark`, 'colours');
      await page.setViewportSize({ width: 360, height: 740 });
      await check(`${path} at 360 px`);
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (overflow > 0) faults.push(`${path} at 360 px is ${overflow} px too wide`);
      await page.setViewportSize({ width: 1280, height: 720 });
    }
    expect(faults).toEqual([]);
  });

  it('is worked by keyboard: the first stop leads to the content', async () => {
    await visit('/services');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
  });
});

it('gave the browser nothing to complain about', () => {
  // While a server was down, requests to it failed.
  expect(complaints.filter((complaint) => !/Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE/.test(complaint))).toEqual([]);
});
