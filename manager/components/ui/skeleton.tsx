import { PageHeader } from './page-header.tsx';

const line = 'animate-breathe rounded bg-inset';

/** What stands where a list will be, as high as a short list. */
export function ListSkeleton({ rows = 4 }: { readonly rows?: number }) {
  return (
    <div aria-hidden className="divide-y divide-line rounded-xl border border-line bg-surface">
      <div className="h-12" />
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="flex h-16 items-center gap-6 px-5">
          <div className={`${line} h-3.5 w-2/5`} />
          <div className={`${line} h-3.5 w-1/6`} />
          <div className={`${line} ml-auto h-8 w-20`} />
        </div>
      ))}
    </div>
  );
}

/** A page that is still being read: the title it will have, and room for the rest. */
export function PageSkeleton({ title, rows }: { readonly title: string; readonly rows?: number }) {
  return (
    <>
      <PageHeader title={title} description={<span className={`${line} inline-block h-4 w-72 max-w-full`} />} />
      <p role="status" className="sr-only">
        Loading
      </p>
      <ListSkeleton {...(rows === undefined ? {} : { rows })} />
    </>
  );
}
