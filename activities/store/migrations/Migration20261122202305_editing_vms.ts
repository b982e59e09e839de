import { Migration } from '@mikro-orm/migrations';

export class Migration20261122202305_editing_vms extends Migration {

  override name = 'Migration20261122202305_editing_vms';

  override up(): void | Promise<void> {
    this.addSql(`alter table "operations" drop constraint "operations_kind_check";`);
    this.addSql(`alter table "operations" add constraint "operations_kind_check" check ("kind" in ('service-vm.start', 'service-vm.stop', 'service.build', 'service.edit', 'service.refresh', 'service.remove', 'image.verify'));`);

    this.addSql(`alter table "service_vms" drop constraint "service_vms_purpose_check";`);
    this.addSql(`alter table "service_vms" add "vnc_port" int null;`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_purpose_check" check ("purpose" in ('serve', 'build', 'edit'));`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "operations" drop constraint "operations_kind_check";`);
    this.addSql(`alter table "operations" add constraint "operations_kind_check" check ("kind" in ('service-vm.start', 'service-vm.stop', 'service.build', 'service.refresh', 'service.remove', 'image.verify'));`);

    this.addSql(`alter table "service_vms" drop constraint "service_vms_purpose_check";`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_purpose_check" check ("purpose" in ('serve', 'build'));`);
  }

}
