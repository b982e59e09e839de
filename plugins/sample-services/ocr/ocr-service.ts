import type { CatalogueService, WarmUpRequest } from '../../../workflows/contract/catalogue.ts';
import { assembleOcrDisk } from './ocr-disk.ts';
import { textPicture } from './text-picture.ts';

const httpPort = 8080;
const warmUp: readonly WarmUpRequest[] = [
  { guestPort: httpPort, method: 'GET', path: '/' },
  {
    guestPort: httpPort,
    method: 'POST',
    path: '/ocr',
    contentType: 'image/png',
    body: async () => textPicture(['WARM UP 0123456789', 'ABCDEFGHIJKLMNOPQR']),
  },
];

/** Reads the text of a picture: heavy work that a phone would gladly hand over. */
export const ocrService: CatalogueService = {
  spec: {
    serviceId: 'cloudlet.sample.ocr',
    description:
      'Reads the English text in a photograph, with Tesseract. Open it in a browser to take a picture, or POST a PNG or JPEG to /ocr.',
    version: '1',
    tags: ['sample', 'ocr', 'text', 'camera', 'tesseract'],
    ports: [{ name: 'http', protocol: 'tcp', guestPort: httpPort }],
    readiness: { kind: 'http', guestPort: httpPort, path: '/health', timeoutSeconds: 180 },
    vcpus: 1,
    memory: { minimumMib: 160, idealMib: 256 },
    maximumUsers: 8,
    whenFull: 'another',
    sharing: 'join',
    idleSeconds: 600,
    leaseSeconds: 300,
    restartPolicy: 'on-failure',
    egress: { mode: 'none' },
  },
  assemble: assembleOcrDisk,
  warmUp,
};
