// Statements of standard input, each ended by a line with a semicolon alone, through Trino's own engine over tables in memory; a line of JSON
// for each: its rows, or the error.
import com.fasterxml.jackson.databind.ObjectMapper;
import io.trino.plugin.memory.MemoryConnectorFactory;
import io.trino.testing.LocalQueryRunner;
import io.trino.testing.MaterializedRow;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import static io.trino.spi.type.TimeZoneKey.UTC_KEY;
import static io.trino.testing.TestingSession.testSessionBuilder;

public class AskTrino {
    public static void main(String[] arguments) throws Exception {
        var session = testSessionBuilder().setCatalog("memory").setSchema("default").setTimeZoneKey(UTC_KEY).build();
        var runner = LocalQueryRunner.create(session);
        runner.createCatalog("memory", new MemoryConnectorFactory(), Map.of());
        var json = new ObjectMapper();
        var text = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        for (String statement : text.split("\n;\n")) {
            if (statement.isBlank()) {
                continue;
            }
            try {
                List<List<String>> rows = new ArrayList<>();
                for (MaterializedRow row : runner.execute(statement).getMaterializedRows()) {
                    List<String> cells = new ArrayList<>();
                    for (Object cell : row.getFields()) {
                        cells.add(cell == null ? null : cell.toString());
                    }
                    rows.add(cells);
                }
                System.out.println(json.writeValueAsString(Map.of("rows", rows)));
            }
            catch (RuntimeException error) {
                System.out.println(json.writeValueAsString(Map.of("error", String.valueOf(error.getMessage()))));
            }
        }
        System.exit(0);
    }
}
