import { CopyButton } from './copy-button.tsx';

/** A text that people paste elsewhere: an id, an address. */
export function Copyable({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1">
      <span className="min-w-0 font-mono text-[0.8125rem] break-all">{text}</span>
      <CopyButton text={text} label={label} />
    </span>
  );
}
