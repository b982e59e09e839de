import { PageSkeleton } from '../../../components/ui/skeleton.tsx';

export default function OperationsLoading() {
  return <PageSkeleton title="Operations" />;
}
