# Generalized linear models of counts and three-level models of effects: metafor 3.8-1, lme4 1.1-31.
# Run in this folder: Rscript make_meta_counts.R
# Counts are read from meta_two_arms.json, whose numbers are metafor's with its default (looser) optimizers.
suppressMessages({library(metafor); library(metadat); library(lme4); library(jsonlite)})
n <- as.numeric
sets <- fromJSON("meta_two_arms.json")$sets
tight <- glmerControl(optimizer="bobyqa", tolPwrss=1e-9, optCtrl=list(maxfun=200000, rhoend=1e-9))
arms <- function(s) { d <- data.frame(ai=s$events_1, n1=s$n_1, ci=s$events_2, n2=s$n_2); d <- subset(d, ai+ci>0 & ai+ci<n1+n2); k <- nrow(d)
  data.frame(x=c(rbind(d$ai,d$ci)), m=c(rbind(d$n1-d$ai,d$n2-d$ci)), study=factor(rep(1:k,each=2)), g=rep(c(.5,-.5),k)) }
out <- list(versions=list(R=R.version.string, metafor=as.character(packageVersion("metafor")), lme4=as.character(packageVersion("lme4"))))
for (nm in c("bcg","li2007","nielweise2007")) {
  D <- arms(sets[[nm]])
  r <- suppressWarnings(glmer(cbind(x,m) ~ -1+g+study+(g-1|study), nAGQ=7, family=binomial, data=D, control=tight))
  out$tight[[nm]] <- list(value=n(fixef(r)["g"]), se=n(sqrt(diag(as.matrix(vcov(r))))["g"]), tau2=n(VarCorr(r)[[1]][1]))
}
D <- arms(sets$li2007)
r <- suppressWarnings(glmer(cbind(x,m) ~ g+(1|study)+(g-1|study), nAGQ=1, family=binomial, data=D, control=tight))
out$tight_random <- list(li2007=list(value=n(fixef(r)["g"]), se=n(sqrt(diag(as.matrix(vcov(r))))[2]), tau2=n(VarCorr(r)[[2]][1]), log_likelihood=n(logLik(r))))
for (nm in c("bcg","nielweise2007")) for (m in c("ML","EE")) {
  s <- sets[[nm]]
  q <- suppressWarnings(rma.glmm(xi=s$events_2, ni=s$n_2, measure="PLO", method=m))
  out$proportion[[nm]][[m]] <- list(value=n(q$beta), se=n(q$se), tau2=n(q$tau2), wald=n(q$QE.Wld), ratio=n(q$QE.LRT), log_likelihood=n(logLik(q)))
}
d <- dat.konstantopoulos2011
out$schools <- list(district=n(d$district), school=n(d$school), yi=n(d$yi), vi=n(d$vi))
# nlme with sigma fixed at 1 has another restricted likelihood (0.0679 and 0.0355 here), so rma.mv is the oracle.
mv <- function(V) { r <- rma.mv(yi, V, random=~1|district/school, data=d, control=list(rel.tol=1e-12)); list(value=n(r$beta), se=n(r$se), variances=n(r$sigma2), log_likelihood=n(logLik(r)), q=n(r$QE)) }
out$mv <- mv(d$vi)
out$mv_correlated <- mv(vcalc(vi, cluster=district, obs=school, rho=.6, data=d))
d$id <- 1:nrow(d)
out$mv_only_between <- n(logLik(rma.mv(yi, vi, random=~1|district, data=d)))
out$mv_only_within <- n(logLik(rma.mv(yi, vi, random=~1|id, data=d)))
write(toJSON(out, digits=NA, auto_unbox=TRUE, pretty=TRUE), "meta_counts.json")
