'use client';

import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';

const shownMs = 1_500;

/** Puts a text on the clipboard and says so for a moment. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [copied]);

  const Icon = copied ? Check : Copy;
  return (
    <button
      type="button"
      aria-label={copied ? 'Copied' : label}
      title={label}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
      className="grid size-6 shrink-0 cursor-pointer place-items-center rounded text-muted transition-colors hover:bg-inset hover:text-ink"
    >
      <Icon aria-hidden className="size-3.5" />
    </button>
  );
}
