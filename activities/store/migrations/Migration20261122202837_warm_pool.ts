import { Migration } from '@mikro-orm/migrations';

/** Instances that are started ahead of time and wait to be claimed. */
export class Migration20261122202837_warm_pool extends Migration {
  override name = 'Migration20261122202837_warm_pool';

  override up(): void {
    this.addSql(`alter table "service_vms" drop constraint "service_vms_end_reason_check";`);
    this.addSql(`alter table "service_vms" drop constraint "service_vms_purpose_check";`);
    this.addSql(`alter table "service_vms" drop constraint "service_vms_rung_check";`);
    this.addSql(`alter table "service_vms" drop constraint "service_vms_state_check";`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_end_reason_check" check ("end_reason" in ('asked', 'last-user-left', 'guest-stopped', 'guest-crashed', 'host-rebooted', 'start-failed', 'lost', 'retired'));`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_purpose_check" check ("purpose" in ('serve', 'build', 'edit', 'warm'));`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_rung_check" check ("rung" in ('join', 'claim', 'restore', 'cold-boot'));`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_state_check" check ("state" in ('requested', 'provisioning', 'warm', 'ready', 'migrating', 'stopping', 'stopped', 'failed'));`);
  }
}
