import path from 'node:path';
import type { AssembleContext, AssembledDisk } from '../../../workflows/contract/catalogue.ts';
import { assembleDisk } from '../../../activities/images/guest-disk/assemble-disk.ts';
import { textPicture } from './text-picture.ts';

/** Assembles the disk of `cloudlet.sample.ocr`. */
export function assembleOcrDisk(context: AssembleContext): Promise<AssembledDisk> {
  return assembleDisk(
    {
      hostname: 'ocr',
      packages: ['lighttpd', 'libtesseract5', 'tesseract-ocr-eng', 'python3-minimal', 'libpython3-stdlib'],
      overlay: path.join(import.meta.dirname, 'root'),
      extraFiles: [{ path: '/srv/www/sample.png', content: textPicture(['THE CLOUDLET', 'READS THIS']) }],
    },
    context,
  );
}
