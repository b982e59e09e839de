import { Bundle } from './entities/bundle.ts';
import { App } from './entities/app.ts';
import { Cloudlet } from './entities/cloudlet.ts';
import { Event } from './entities/event.ts';
import { Host } from './entities/host.ts';
import { IdempotencyKey } from './entities/idempotency-key.ts';
import { Image, ImageLocation } from './entities/image.ts';
import { Lease } from './entities/lease.ts';
import { Operation } from './entities/operation.ts';
import { PluginReport } from './entities/plugin-report.ts';
import { PortReservation } from './entities/port-reservation.ts';
import { Service, ServiceImage } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { Session, SignInCode } from './entities/session.ts';
import { SteadyEpoch } from './entities/steady-epoch.ts';
import { Upload } from './entities/upload.ts';

/** Every table of the store. */
export const entities = [
  Bundle,
  App,
  Cloudlet,
  Event,
  Host,
  IdempotencyKey,
  Image,
  ImageLocation,
  Lease,
  Operation,
  PluginReport,
  PortReservation,
  Service,
  ServiceImage,
  ServiceVm,
  Session,
  SignInCode,
  SteadyEpoch,
  Upload,
];
