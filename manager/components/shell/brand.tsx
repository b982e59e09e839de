import { PageLink } from '../ui/page-link.tsx';

/** A cloud, one radio hop away. */
export function BrandMark({ className }: { readonly className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 32 32" className={className}>
      <rect width="32" height="32" rx="8" className="fill-accent" />
      <path d="M10.2 23.5a4.7 4.7 0 0 1-.5-9.4 6.5 6.5 0 0 1 12.5 1.1 4.2 4.2 0 0 1-.4 8.3z" className="fill-on-accent" />
      <path
        d="M22.4 9.7a6.6 6.6 0 0 1 2.9 2.9M23.9 6.2a10.4 10.4 0 0 1 4.9 4.9"
        fill="none"
        strokeWidth="1.8"
        strokeLinecap="round"
        className="stroke-on-accent"
      />
    </svg>
  );
}

export function Brand() {
  return (
    <PageLink href="/" className="flex items-center gap-2.5 rounded-md font-semibold tracking-tight">
      <BrandMark className="size-7" />
      Cloudlet
    </PageLink>
  );
}
