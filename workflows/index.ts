/** What the worker's bundle holds. The only barrel: Temporal asks for one module of all workflows. */
export { serviceVm } from './service-vm.ts';
