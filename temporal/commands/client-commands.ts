import type { Command } from 'commander';
import { ApiClient } from '../cli/api-client.ts';
import { loadConfig } from '../config/load-config.ts';
import { addAppCommands } from './app-commands.ts';
import { addImageCommands } from './image-commands.ts';
import { addOperationCommands } from './operation-commands.ts';
import { addBundleCommands, addServiceBundles } from './bundle-commands.ts';
import { addEditImageCommands } from './edit-image-commands.ts';
import { addServiceCommands } from './service-commands.ts';
import { addServiceVmCommands } from './service-vm-commands.ts';

/** Commands that ask the running cloudlet, through the same API that everybody uses. */
export function addClientCommands(program: Command): void {
  const api = (): ApiClient => new ApiClient(loadConfig().config);
  const service = program.command('service').description('services: what can be started');
  addServiceCommands(service, api);
  addEditImageCommands(service, api);
  addImageCommands(program.command('image').description('images: what services are started from'), api);
  addServiceBundles(service, api);
  addBundleCommands(program.command('bundle').description('bundles: services that were exported'), api);
  addAppCommands(program.command('app').description('apps: what phones download'), api);
  addServiceVmCommands(program.command('vm').description('Service VMs: what runs'), api);
  addOperationCommands(program.command('operation').description('operations: what takes longer than a moment'), api);
}
