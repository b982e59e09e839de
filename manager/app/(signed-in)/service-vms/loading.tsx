import { PageSkeleton } from '../../../components/ui/skeleton.tsx';

export default function ServiceVMsLoading() {
  return <PageSkeleton title="Service VMs" />;
}
