import type { ReactNode } from 'react';
import { LiveProvider } from '../../components/live/live-provider.tsx';
import { ActivityStrip } from '../../components/operations/activity-strip.tsx';
import { Shell } from '../../components/shell/shell.tsx';
import { nameOperations } from '../../lib/api/service-names.ts';
import { readTheme } from '../../lib/read-theme.ts';
import { askApi } from '../../lib/session/ask-api.ts';

const shownOperations = 20;

export default async function SignedInLayout({ children }: { readonly children: ReactNode }) {
  const running = await askApi(async (api) => {
    const { operations } = await api.operations({ state: 'running', limit: shownOperations });
    return nameOperations(api, operations);
  });
  return (
    <LiveProvider>
      <Shell theme={await readTheme()} activity={<ActivityStrip operations={running.ok ? running.value : []} />}>
        {children}
      </Shell>
    </LiveProvider>
  );
}
