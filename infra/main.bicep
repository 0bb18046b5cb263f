targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the azd environment; it is in the name of the resource group and, hashed, in all other names.')
param environmentName string

@minLength(1)
@description('Region of everything: one that has Flex Consumption, Azure Machine Learning, and quota for the GPU sizes below.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Object id of whoever drops datasets and makes keys; empty: nobody is given that here.')
param principalId string = ''

@description('What that object is: User, Group or ServicePrincipal; empty: Azure finds out.')
@allowed(['', 'User', 'Group', 'ServicePrincipal'])
param principalType string = ''

@description('Base model: name:version of the registry azureml. One that is not retired.')
param baseModel string = 'Phi-4:8'

@description('Size of the training cluster: one on the base model\'s list, with quota.')
param computeSize string = 'Standard_NC24ads_A100_v4'

@description('Whether the region has quota for one node of that size: Azure refuses even a cluster without nodes where it has not. False: no cluster is made (infra/hooks/prepare.py finds out).')
param hasQuota bool = true

@description('Most nodes of the training cluster; with nothing to train it has none.')
@minValue(1)
@maxValue(100)
param computeNodes int = 1

@description('Size of a deployment: one on the base model\'s list, with quota.')
param instanceType string = 'Standard_NC24ads_A100_v4'

@description('A run estimated above so many USD is refused.')
@minValue(1)
param maxCostUsd int = 100

@description('An endpoint unused for so long is put to sleep, such as 30m or 2h; auto: learnt from its own pauses; 0: never.')
param idleAfter string = '30m'

@description('Personal data and secrets in datasets: off, warn or reject.')
@allowed(['off', 'warn', 'reject'])
param personalData string = 'warn'

@description('Hosts that droppers may name in [notify] webhook, comma-separated, such as hooks.slack.com; empty: none.')
param webhookHosts string = ''

@description('Further settings of docs/settings.md, by name.')
param settings object = {}

@description('Snapshots are deleted so many days after they were written; 0: never.')
@minValue(0)
param snapshotDays int = 365

@description('Monthly spending, in the currency of the subscription, at which Azure tells people; 0: no budget.')
@minValue(0)
param budget int = 500

@description('Who is told by e-mail of budget and alarms; empty: the owners, of the budget only.')
param alarmEmail string = ''

@description('First day of the budget: the first of a month; empty: of this month. It stays: a budget that is there takes no other, so azd hands it back (DROPTUNE_BUDGET_START).')
param budgetStart string = ''

@description('This month; not to be given.')
param thisMonth string = utcNow('yyyy-MM')

@description('Name of a storage account that exists already, for uploads and records; empty: one is made. No hierarchical namespace.')
param existingStorageName string = ''

@description('Resource group of that storage account.')
param existingStorageGroup string = ''

@description('Name of an Azure Machine Learning workspace that exists already; empty: one is made, with its storage, vault and registry.')
param existingWorkspaceName string = ''

@description('Resource group of that workspace.')
param existingWorkspaceGroup string = ''

@description('Name of the storage account of that workspace (the cluster writes its outputs there), in the same resource group.')
param existingWorkspaceStorageName string = ''

@description('Name of the container registry of that workspace, in the same resource group; empty: it has none.')
param existingWorkspaceRegistryName string = ''

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName, application: 'droptune' }
var groupName = 'rg-${environmentName}-droptune'
var madeStorage = empty(existingStorageName)
var madeWorkspace = empty(existingWorkspaceName)
var storageName = madeStorage ? 'st${token}' : existingStorageName
var storageGroup = madeStorage ? groupName : existingStorageGroup
var workspaceName = madeWorkspace ? 'mlw-${token}' : existingWorkspaceName
var workspaceGroup = madeWorkspace ? groupName : existingWorkspaceGroup
var workspaceStorageName = madeWorkspace ? 'stml${token}' : existingWorkspaceStorageName
var registryName = madeWorkspace ? 'cr${token}' : existingWorkspaceRegistryName
var clusterName = madeWorkspace ? 'gpu-cluster' : 'gpu-${token}'
var datastoreName = madeWorkspace ? 'snapshots' : 'snapshots_${token}'
var firstDay = empty(budgetStart) ? '${thisMonth}-01T00:00:00Z' : budgetStart

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: groupName
  location: location
  tags: tags
}

module identities 'modules/identities.bicep' = {
  name: 'identities-${token}'
  scope: group
  params: {
    appIdentityName: 'id-app-${token}'
    trainingIdentityName: 'id-train-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring-${token}'
  scope: group
  params: {
    logsName: 'log-${token}'
    appInsightsName: 'appi-${token}'
    workspaceInsightsName: 'appi-ml-${token}'
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage-${token}'
  scope: resourceGroup(storageGroup)
  params: {
    name: storageName
    make: madeStorage
    snapshotDays: snapshotDays
    location: location
    tags: tags
  }
  dependsOn: [group]
}

module workspace 'modules/workspace.bicep' = if (madeWorkspace) {
  name: 'workspace-${token}'
  scope: group
  params: {
    name: workspaceName
    storageName: workspaceStorageName
    vaultName: 'kv-${token}'
    registryName: registryName
    insightsId: monitoring.outputs.workspaceInsightsId
    location: location
    tags: tags
  }
}

module storageRoles 'modules/roles-storage.bicep' = {
  name: 'roles-storage-${token}'
  scope: resourceGroup(storageGroup)
  params: {
    accountName: storage.outputs.name
    appPrincipalId: identities.outputs.appPrincipalId
    trainingPrincipalId: identities.outputs.trainingPrincipalId
    principalId: principalId
    principalType: principalType
  }
}

module deadletterRoles 'modules/roles-deadletters.bicep' = {
  name: 'roles-deadletters-${token}'
  scope: resourceGroup(storageGroup)
  params: {
    accountName: storage.outputs.name
    storageTopicPrincipalId: topics.outputs.storageTopicPrincipalId
    workspaceTopicPrincipalId: topics.outputs.workspaceTopicPrincipalId
  }
}

module workspaceRoles 'modules/roles-workspace.bicep' = {
  name: 'roles-workspace-${token}'
  scope: resourceGroup(workspaceGroup)
  params: {
    workspaceName: workspaceName
    storageName: workspaceStorageName
    registryName: registryName
    appPrincipalId: identities.outputs.appPrincipalId
    trainingPrincipalId: identities.outputs.trainingPrincipalId
  }
  dependsOn: [workspace]
}

module training 'modules/training.bicep' = {
  name: 'training-${token}'
  scope: resourceGroup(workspaceGroup)
  params: {
    workspaceName: workspaceName
    clusterName: clusterName
    makeCluster: hasQuota
    size: computeSize
    nodes: computeNodes
    identityId: identities.outputs.trainingIdentityId
    storageName: storage.outputs.name
    storageGroup: storageGroup
    datastoreName: datastoreName
    location: location
    tags: tags
  }
  dependsOn: [workspaceRoles]
}

module topics 'modules/topics.bicep' = {
  name: 'topics-${token}'
  scope: group
  params: {
    storageTopicName: 'evgst-storage-${token}'
    workspaceTopicName: 'evgst-workspace-${token}'
    lifecycleTopicName: 'evgt-${token}'
    storageId: storage.outputs.id
    workspaceId: workspaceId
    appPrincipalId: identities.outputs.appPrincipalId
    location: location
    tags: tags
  }
  dependsOn: [workspace]
}

module quotaRole 'modules/quota-role.bicep' = {
  name: 'quota-role-${token}'
  params: {
    roleTitle: 'droptune sizes and quota (${token})'
  }
}

// A new role takes minutes to be known everywhere: given last.
module quotaAssignment 'modules/quota-assignment.bicep' = {
  name: 'quota-assignment-${token}'
  params: {
    roleId: quotaRole.outputs.roleId
    appPrincipalId: identities.outputs.appPrincipalId
  }
  dependsOn: [app, training]
}

module app 'modules/app.bicep' = {
  name: 'app-${token}'
  scope: group
  params: {
    planName: 'plan-${token}'
    name: 'func-${token}'
    serviceName: 'app'
    identityId: identities.outputs.appIdentityId
    identityClientId: identities.outputs.appClientId
    insightsConnection: monitoring.outputs.appInsightsConnection
    storageName: storage.outputs.name
    packageContainer: 'deployments'
    settings: union(
      {
        AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
        AZURE_RESOURCE_GROUP: workspaceGroup
        AZUREML_WORKSPACE_NAME: workspaceName
        AZUREML_REGISTRY_NAME: 'azureml'
        DROPTUNE_EVENTS_ENDPOINT: topics.outputs.lifecycleEndpoint
        DROPTUNE_QUEUE: 'droptune-work'
        DROPTUNE_BASE_MODEL: baseModel
        DROPTUNE_COMPUTE: clusterName
        DROPTUNE_COMPUTE_SIZE: computeSize
        DROPTUNE_COMPUTE_NODES: string(computeNodes)
        DROPTUNE_COMPUTE_IDENTITY: identities.outputs.trainingIdentityId
        DROPTUNE_INSTANCE_TYPE: instanceType
        DROPTUNE_SNAPSHOT_DATASTORE: datastoreName
        DROPTUNE_IDLE_AFTER: idleAfter
        DROPTUNE_MAX_COST_USD: string(maxCostUsd)
        DROPTUNE_PII: personalData
        DROPTUNE_WEBHOOK_HOSTS: webhookHosts
      },
      settings
    )
    location: location
    tags: tags
  }
  dependsOn: [storageRoles, workspaceRoles]
}

module insightsRole 'modules/roles-insights.bicep' = {
  name: 'roles-insights-${token}'
  scope: group
  params: {
    insightsName: monitoring.outputs.appInsightsName
    appPrincipalId: identities.outputs.appPrincipalId
  }
}

module spending 'modules/budget.bicep' = if (budget > 0) {
  name: 'budget-${token}'
  scope: group
  params: {
    name: 'budget-${token}'
    amount: budget
    start: firstDay
    email: alarmEmail
  }
}

module alarms 'modules/alarms.bicep' = if (!empty(alarmEmail)) {
  name: 'alarms-${token}'
  scope: group
  params: {
    suffix: token
    email: alarmEmail
    insightsId: monitoring.outputs.appInsightsId
    topicIds: [topics.outputs.storageTopicId, topics.outputs.workspaceTopicId]
    location: location
    tags: tags
  }
}

var workspaceId = resourceId(
  subscription().subscriptionId,
  workspaceGroup,
  'Microsoft.MachineLearningServices/workspaces',
  workspaceName
)

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = groupName
output AZUREML_WORKSPACE_NAME string = workspaceName
output AZUREML_WORKSPACE_GROUP string = workspaceGroup
output AZURE_STORAGE_ACCOUNT_URL string = storage.outputs.blobUrl
output AZURE_STORAGE_QUEUE_URL string = storage.outputs.queueUrl
output DROPTUNE_URL string = app.outputs.url
output DROPTUNE_APP_NAME string = app.outputs.name
output DROPTUNE_APP_ID string = app.outputs.id
output DROPTUNE_STORAGE_ID string = storage.outputs.id
output DROPTUNE_STORAGE_TOPIC string = topics.outputs.storageTopicName
output DROPTUNE_WORKSPACE_TOPIC string = topics.outputs.workspaceTopicName
output DROPTUNE_QUOTA_ROLE_ID string = quotaRole.outputs.roleId
output DROPTUNE_QUOTA_ASSIGNMENT_ID string = quotaAssignment.outputs.assignmentId
output DROPTUNE_CLUSTER string = clusterName
output DROPTUNE_DATASTORE string = datastoreName
output DROPTUNE_VAULT_NAME string = madeWorkspace ? 'kv-${token}' : ''
output DROPTUNE_LOGS_NAME string = monitoring.outputs.logsName
output DROPTUNE_BUDGET_START string = firstDay
output DROPTUNE_OWNS_WORKSPACE bool = madeWorkspace
