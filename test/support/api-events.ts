import { EventSourceParserStream } from 'eventsource-parser/stream';

export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** The next so many; fewer when the stream ends before. */
  take(count: number): Promise<SentEvent[]>;
  /** All until the stream ends, or breaks off. */
  rest(): Promise<SentEvent[]>;
  close(): void;
}

/** Opens a stream of events as a browser does. Resolves when its headers are there. */
export async function openEvents(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<EventStream> {
  const gone = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: gone.signal,
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  const take = async (count: number): Promise<SentEvent[]> => {
    const taken: SentEvent[] = [];
    while (taken.length < count) {
      const { value } = await reader.read().catch(() => ({ value: undefined }));
      if (!value) break;
      taken.push({ id: value.id ?? '', event: value.event ?? 'message', data: JSON.parse(value.data) as Record<string, unknown> });
    }
    return taken;
  };
  return { status: response.status, headers: response.headers, take, rest: () => take(Infinity), close: () => gone.abort() };
}
