import { PageSkeleton } from '../../../components/ui/skeleton.tsx';

export default function ServicesLoading() {
  return <PageSkeleton title="Services" />;
}
