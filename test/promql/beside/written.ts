/** Queries as people write them, for dashboards, alerts and reports of a computing centre. */

export const written: readonly string[] = `
cpu_load
cpu_load{hostname="an1"}
cpu_load{hostname=~"an.*"}
cpu_load{hostname!~"an.*",cluster="fritz"}
{hostname="an1"}
{__name__=~"cpu_.*|mem_.*",cluster="alex"}
flops_any{type_id="2"}
flops_any{type="hwthread",type_id=~"0|3"}
nothing
cpu_load offset 10m
cpu_load offset -10m
cpu_load @ start()
cpu_load @ end() offset 5m
sum(cpu_load)
avg(cpu_load)
min(cpu_load)
max(cpu_load)
count(cpu_load)
group(cpu_load)
stddev(cpu_load)
stdvar(cpu_load)
sum by (cluster) (cpu_load)
sum by (cluster, hostname) (flops_any)
sum without (type_id) (flops_any)
sum without (type, type_id) (flops_any)
avg by (hostname) (temp)
max by (cluster) (temp)
count by (type) ({__name__=~".+"})
count by (__name__) ({__name__=~".+"})
quantile(0.95, flops_any)
quantile by (cluster) (0.5, flops_any)
quantile(scalar(count(cpu_load)) / 10, flops_any)
topk(3, sum by (hostname) (flops_any))
bottomk(2, avg_over_time(flops_any[1h]))
topk by (cluster) (1, sum by (cluster, hostname) (flops_any))
count_values("jobs", job_count)
count_values by (cluster) ("jobs", job_count)
rate(net_bytes_total[5m])
rate(net_bytes_total[10m] offset 5m)
increase(net_bytes_total[1h])
irate(net_bytes_total[5m])
sum(rate(net_bytes_total[10m]))
sum by (cluster) (rate(net_bytes_total[10m]))
avg without (hostname) (increase(net_bytes_total[30m]))
resets(net_bytes_total[3h])
changes(job_count[1h])
delta(temp[30m])
idelta(temp[5m])
deriv(mem_used[30m])
predict_linear(mem_used[1h], 3600)
predict_linear(mem_used[1h] offset 5m, 600)
avg_over_time(cpu_load[1h])
min_over_time(cpu_load[1h])
max_over_time(cpu_load[1h])
sum_over_time(flops_any[30m])
count_over_time(cpu_load[30m])
last_over_time(cpu_load[30m])
present_over_time(cpu_load[30m])
stddev_over_time(cpu_load[30m])
stdvar_over_time(cpu_load[30m])
quantile_over_time(0.9, cpu_load[30m])
absent_over_time(cpu_load[5m])
absent_over_time(nothing{a="b"}[5m])
max(max_over_time(temp[2h]))
avg by (cluster) (avg_over_time(flops_any[20m]))
sum by (hostname) (sum_over_time(flops_any[10m]))
max_over_time(sum(flops_any)[30m3s:5m])
avg_over_time(rate(net_bytes_total[5m])[30m3s:1m])
max_over_time(deriv(mem_used[10m])[1h3s:5m])
sum_over_time((cpu_load > 36)[1h3s:1m])
count_over_time((cpu_load > bool 36)[1h3s:1m])
quantile_over_time(0.5, sum by (cluster) (cpu_load)[1h3s:2m])
cpu_load / 72
100 * cpu_load / 72
cpu_load > 36
cpu_load > bool 36
36 < cpu_load
cpu_load == cpu_load
cpu_load != cpu_load offset 1m
mem_used * 1e9
mem_used % 10
-mem_used
+mem_used
2 ^ job_count
-1 ^ 2
job_count + on (cluster, hostname) cpu_load
cpu_load * on (hostname) mem_used
flops_any / on (hostname) group_left cpu_load
cpu_load * on (hostname) group_right flops_any
flops_any / ignoring (type_id, type) group_left (type) cpu_load
flops_any * on (hostname) cpu_load
cpu_load + flops_any
sum(flops_any) / count(count by (hostname) (flops_any))
sum by (hostname) (flops_any) / sum by (hostname) (cpu_load)
cpu_load and on (hostname) (temp > 60)
cpu_load unless on (hostname) (temp > 60)
cpu_load or mem_used
(cpu_load > 50) or (cpu_load < 10)
cpu_load{hostname="an1"} or cpu_load{hostname="an2"} > 20
absent(cpu_load)
absent(cpu_load{hostname="none"})
absent(nothing{a="1",b="2"})
absent(sum(nothing))
scalar(cpu_load)
scalar(cpu_load{hostname="an1"})
vector(1)
vector(time())
time()
1 + 2 * 3
1 > bool 2
NaN
timestamp(cpu_load)
timestamp(cpu_load + 0)
time() - timestamp(cpu_load)
hour()
minute()
day_of_week()
days_in_month()
abs(cpu_load - 36)
ceil(cpu_load)
floor(cpu_load)
round(cpu_load)
round(cpu_load, 10)
sqrt(cpu_load)
ln(cpu_load)
exp(cpu_load)
log10(cpu_load)
sgn(cpu_load - 36)
clamp(cpu_load, 20, 40)
clamp_max(cpu_load, 20)
label_replace(cpu_load, "rack", "r$1", "hostname", ".n(.)")
label_join(flops_any, "core", "-", "hostname", "type_id")
sum by (rack) (label_replace(cpu_load, "rack", "r$1", "hostname", ".n(.)"))
label_replace(cpu_load, "hostname", "x", "hostname", ".*")
sort(cpu_load)
sort_desc(cpu_load)
histogram_quantile(0.5, label_replace(flops_any, "le", "$1", "type_id", "(.*)"))
sum(cpu_load offset 1h) - sum(cpu_load)
avg_over_time(cpu_load[10m]) / avg_over_time(cpu_load[10m] offset 1h)
count(cpu_load > 36) / count(cpu_load)
`
  .trim()
  .split('\n');
