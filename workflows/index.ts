/** What the worker's bundle holds. The only barrel: Temporal asks for one module of all workflows. */
export { buildServiceImage } from './build-service-image.ts';
export { exportService } from './export-service.ts';
export { fillWarmPool } from './fill-warm-pool.ts';
export { importService } from './import-service.ts';
export { installApp } from './install-app.ts';
export { reconcileHost } from './reconcile-host.ts';
export { refreshSavedState } from './refresh-saved-state.ts';
export { removeService } from './remove-service.ts';
export { serviceVm } from './service-vm.ts';
export { verifyImages } from './verify-images.ts';
