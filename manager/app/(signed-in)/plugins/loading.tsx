import { PageSkeleton } from '../../../components/ui/skeleton.tsx';

export default function PluginsLoading() {
  return <PageSkeleton title="Plugins" />;
}
