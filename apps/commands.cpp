#include "retia/apps/commands.h"

namespace retia {

CommandTable standard_commands() {
  CommandTable table;
  table.add(commands::search());
  table.add(commands::retrain());
  table.add(commands::evaluate());
  table.add(commands::explore());
  table.add(commands::top());
  table.add(commands::show());
  table.add(commands::trial());
  table.add(commands::report());
  table.add(commands::rank());
  table.add(commands::profile());
  table.add(commands::space());
  table.add(commands::bench_search_step());
  table.add(commands::bench_kernels());
  table.add(commands::completion());
  return table;
}

}  // namespace retia
