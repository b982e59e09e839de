import { CopyButton } from './copy-button.tsx';

/** A command line to be typed elsewhere. */
export function Command({ line }: { readonly line: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1 rounded-md border border-line bg-inset py-0.5 pr-1 pl-2.5">
      <code className="min-w-0 truncate font-mono text-[0.8125rem]">{line}</code>
      <CopyButton text={line} label={`Copy the command ${line}`} />
    </span>
  );
}
