import { PageSkeleton } from '../../components/ui/skeleton.tsx';

export default function OverviewLoading() {
  return <PageSkeleton title="Overview" />;
}
