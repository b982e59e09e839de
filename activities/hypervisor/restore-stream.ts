import { constants, createReadStream, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { parseSaveImageHeader, readSavedXml, saveImageHeaderBytes, withSavedXml } from './save-image.ts';

/**
 * Delivers a saved guest through a FIFO with another XML, so that any number of clones are restored from one file
 * and nothing is copied.
 * @param rewriteXml from the XML in the file to that of the clone
 * @returns when all of it has been handed over; rejects when the signal aborts or the reader goes away
 */
export async function streamSavedGuest(
  savedPath: string,
  fifoPath: string,
  rewriteXml: (xml: string) => string,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(savedPath, 'r');
  try {
    const header = Buffer.alloc(saveImageHeaderBytes);
    await file.read(header, 0, header.length, 0);
    const parsed = parseSaveImageHeader(header);
    const area = Buffer.alloc(parsed.areaBytes);
    await file.read(area, 0, area.length, saveImageHeaderBytes);
    const head = withSavedXml(header, area, rewriteXml(readSavedXml(parsed, area)));
    // Opened for both ways: opening for writing alone would wait in the kernel for a reader that may never come.
    const fifo = new Socket({ fd: openSync(fifoPath, constants.O_RDWR | constants.O_NONBLOCK), readable: false, writable: true });
    const state = createReadStream(savedPath, { start: saveImageHeaderBytes + parsed.areaBytes, highWaterMark: chunkBytes });
    fifo.write(head);
    await pipeline(state, fifo, { signal });
  } finally {
    await file.close();
  }
}

/** Large enough that the cost of a read does not count. */
const chunkBytes = 1024 * 1024;
