import { Migration } from '@mikro-orm/migrations';

export class Migration20261122000000_initial extends Migration {

  override name = 'Migration20261122000000_initial';

  override up(): void | Promise<void> {
    this.addSql(`create table "cloudlets" ("id" uuid not null, "name" text not null, "token_key" bytea not null, "created_at" timestamptz not null, primary key ("id"));`);

    this.addSql(`create table "events" ("seq" bigserial primary key, "at" timestamptz not null, "type" text not null, "subject" text not null, "operation_id" uuid null, "audience" text not null, "data" jsonb not null);`);
    this.addSql(`create index "events_operation_id_index" on "events" ("operation_id");`);
    this.addSql(`create index "events_at_index" on "events" ("at");`);

    this.addSql(`create table "hosts" ("id" uuid not null, "name" text not null, "boot_id" text not null, "vcpus" int not null, "memory_mib" int not null, "memory_available_mib" int not null, "disk_free_bytes" bigint not null, "fingerprint" jsonb null, "hypervisor_problem" text null, "address" text not null, "heartbeat_at_ms" bigint not null, "created_at" timestamptz not null, primary key ("id"));`);

    this.addSql(`create table "images" ("id" uuid not null, "sha256" char(64) not null, "kind" text not null, "size_bytes" bigint not null, "virtual_size_bytes" bigint null, "backing_id" uuid null, "created_at" timestamptz not null, primary key ("id"));`);
    this.addSql(`alter table "images" add constraint "images_sha256_unique" unique ("sha256");`);

    this.addSql(`create table "image_locations" ("image_id" uuid not null, "host_id" uuid not null, primary key ("image_id", "host_id"));`);

    this.addSql(`create table "operations" ("id" uuid not null, "kind" text not null, "state" text not null, "workflow_id" text not null, "subject" text not null, "principal" text not null, "idempotency_key" text null, "request_hash" char(64) null, "progress" jsonb null, "result" jsonb null, "problem" jsonb null, "created_at" timestamptz not null, "finished_at" timestamptz null, primary key ("id"));`);
    this.addSql(`create index "operations_workflow_id_state_index" on "operations" ("workflow_id", "state");`);
    this.addSql(`create index "operations_created_at_index" on "operations" ("created_at");`);
    this.addSql(`alter table "operations" add constraint "operations_principal_idempotency_key_unique" unique ("principal", "idempotency_key");`);

    this.addSql(`create table "plugin_reports" ("process" text not null, "report" jsonb not null, "updated_at" timestamptz not null, primary key ("process"));`);

    this.addSql(`create table "services" ("id" uuid not null, "service_id" text not null, "spec" jsonb not null, "image_id" uuid null, "version" int not null default 1, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`);
    this.addSql(`alter table "services" add constraint "services_service_id_unique" unique ("service_id");`);

    this.addSql(`create table "service_images" ("id" uuid not null, "service_id" uuid not null, "number" int not null, "disk_id" uuid not null, "saved_disk_id" uuid null, "memory_id" uuid null, "saved_under" jsonb null, "saved_memory_mib" int null, "saved_vcpus" int null, "created_at" timestamptz not null, primary key ("id"));`);
    this.addSql(`alter table "service_images" add constraint "service_images_service_id_number_unique" unique ("service_id", "number");`);

    this.addSql(`create table "service_vms" ("id" uuid not null, "service_id" uuid not null, "workflow_id" text not null, "start_operation_id" uuid not null, "state" text not null, "shared" boolean not null, "host_id" uuid null, "image_id" uuid null, "rung" text null, "memory_mib" int not null default 0, "vcpus" int not null default 0, "boot_id" uuid null, "host_boot_id" text null, "purpose" text not null, "restarts" int not null default 0, "end_reason" text null, "problem" jsonb null, "requested_at" timestamptz not null, "ready_at" timestamptz null, "ended_at" timestamptz null, "version" int not null default 1, primary key ("id"));`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_workflow_id_unique" unique ("workflow_id");`);
    this.addSql(`create index "service_vms_service_id_state_index" on "service_vms" ("service_id", "state");`);
    this.addSql(`create index "service_vms_host_id_state_index" on "service_vms" ("host_id", "state");`);

    this.addSql(`create table "port_reservations" ("id" uuid not null, "host_id" uuid not null, "service_vm_id" uuid not null, "position" int not null, "name" text not null, "protocol" text not null, "guest_port" int not null, "host_port" int not null, primary key ("id"));`);
    this.addSql(`alter table "port_reservations" add constraint "port_reservations_host_id_protocol_host_port_unique" unique ("host_id", "protocol", "host_port");`);
    this.addSql(`alter table "port_reservations" add constraint "port_reservations_service_vm_id_position_unique" unique ("service_vm_id", "position");`);

    this.addSql(`create table "leases" ("id" uuid not null, "service_vm_id" uuid not null, "holder" text not null, "dialect" text not null, "length_ms" int not null, "expires_at_ms" bigint not null, "created_at" timestamptz not null, primary key ("id"));`);
    this.addSql(`create index "leases_service_vm_id_holder_index" on "leases" ("service_vm_id", "holder");`);
    this.addSql(`create index "leases_expires_at_ms_index" on "leases" ("expires_at_ms");`);

    this.addSql(`create table "sessions" ("id" uuid not null, "token_hash" char(64) not null, "principal" text not null, "expires_at_ms" bigint not null, "created_at" timestamptz not null, primary key ("id"));`);
    this.addSql(`alter table "sessions" add constraint "sessions_token_hash_unique" unique ("token_hash");`);

    this.addSql(`create table "sign_in_codes" ("id" uuid not null, "code_hash" char(64) not null, "expires_at_ms" bigint not null, primary key ("id"));`);
    this.addSql(`alter table "sign_in_codes" add constraint "sign_in_codes_code_hash_unique" unique ("code_hash");`);

    this.addSql(`create table "steady_epochs" ("boot_id" text not null, "base_ms" bigint not null, primary key ("boot_id"));`);

    this.addSql(`alter table "events" add constraint "events_audience_check" check ("audience" in ('public', 'owner'));`);

    this.addSql(`alter table "images" add constraint "images_backing_id_foreign" foreign key ("backing_id") references "images" ("id") on delete restrict;`);
    this.addSql(`alter table "images" add constraint "images_kind_check" check ("kind" in ('disk', 'memory'));`);

    this.addSql(`alter table "image_locations" add constraint "image_locations_image_id_foreign" foreign key ("image_id") references "images" ("id") on update cascade on delete cascade;`);
    this.addSql(`alter table "image_locations" add constraint "image_locations_host_id_foreign" foreign key ("host_id") references "hosts" ("id") on update cascade on delete cascade;`);

    this.addSql(`alter table "operations" add constraint "operations_kind_check" check ("kind" in ('service-vm.start', 'service-vm.stop', 'service.build'));`);
    this.addSql(`alter table "operations" add constraint "operations_state_check" check ("state" in ('running', 'succeeded', 'failed', 'cancelled'));`);

    this.addSql(`alter table "services" add constraint "services_image_id_foreign" foreign key ("image_id") references "service_images" ("id") on delete restrict;`);

    this.addSql(`alter table "service_images" add constraint "service_images_service_id_foreign" foreign key ("service_id") references "services" ("id") on delete cascade;`);
    this.addSql(`alter table "service_images" add constraint "service_images_disk_id_foreign" foreign key ("disk_id") references "images" ("id");`);
    this.addSql(`alter table "service_images" add constraint "service_images_saved_disk_id_foreign" foreign key ("saved_disk_id") references "images" ("id") on delete restrict;`);
    this.addSql(`alter table "service_images" add constraint "service_images_memory_id_foreign" foreign key ("memory_id") references "images" ("id") on delete restrict;`);

    this.addSql(`alter table "service_vms" add constraint "service_vms_service_id_foreign" foreign key ("service_id") references "services" ("id") on delete restrict;`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_host_id_foreign" foreign key ("host_id") references "hosts" ("id") on delete restrict;`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_image_id_foreign" foreign key ("image_id") references "service_images" ("id") on delete restrict;`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_state_check" check ("state" in ('requested', 'provisioning', 'ready', 'migrating', 'stopping', 'stopped', 'failed'));`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_rung_check" check ("rung" in ('join', 'restore', 'cold-boot'));`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_purpose_check" check ("purpose" in ('serve', 'build'));`);
    this.addSql(`alter table "service_vms" add constraint "service_vms_end_reason_check" check ("end_reason" in ('asked', 'last-user-left', 'guest-stopped', 'guest-crashed', 'host-rebooted', 'start-failed', 'lost'));`);

    this.addSql(`alter table "port_reservations" add constraint "port_reservations_host_id_foreign" foreign key ("host_id") references "hosts" ("id");`);
    this.addSql(`alter table "port_reservations" add constraint "port_reservations_service_vm_id_foreign" foreign key ("service_vm_id") references "service_vms" ("id") on delete cascade;`);
    this.addSql(`alter table "port_reservations" add constraint "port_reservations_protocol_check" check ("protocol" in ('tcp', 'udp'));`);

    this.addSql(`alter table "leases" add constraint "leases_service_vm_id_foreign" foreign key ("service_vm_id") references "service_vms" ("id") on delete cascade;`);
    this.addSql(`alter table "leases" add constraint "leases_dialect_check" check ("dialect" in ('v1', 'pycloud'));`);
  }

}
