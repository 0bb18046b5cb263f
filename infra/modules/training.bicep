@description('Name of the workspace.')
param workspaceName string

@description('Name of the cluster that trains.')
param clusterName string

@description('Whether it is made: not where the region has no quota for one node.')
param makeCluster bool

@description('Size of its nodes.')
param size string

@description('Most nodes; with nothing to train it has none.')
param nodes int

@description('Identity that the cluster runs as: it reads snapshots and writes models.')
param identityId string

@description('Account of the snapshots.')
param storageName string

@description('Resource group of that account.')
param storageGroup string

@description('Name of the datastore that points at the container snapshots.')
param datastoreName string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

resource cluster 'Microsoft.MachineLearningServices/workspaces/computes@2025-06-01' = if (makeCluster) {
  parent: workspace
  name: clusterName
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    computeType: 'AmlCompute'
    disableLocalAuth: true
    properties: {
      vmSize: size
      vmPriority: 'Dedicated'
      osType: 'Linux'
      remoteLoginPortPublicAccess: 'Disabled'
      scaleSettings: {
        minNodeCount: 0
        maxNodeCount: nodes
        nodeIdleTimeBeforeScaleDown: 'PT2M'
      }
    }
  }
}

resource snapshots 'Microsoft.MachineLearningServices/workspaces/datastores@2025-06-01' = {
  parent: workspace
  name: datastoreName
  properties: {
    datastoreType: 'AzureBlob'
    subscriptionId: subscription().subscriptionId
    resourceGroup: storageGroup
    accountName: storageName
    containerName: 'snapshots'
    endpoint: environment().suffixes.storage
    protocol: 'https'
    serviceDataAccessAuthIdentity: 'None'
    credentials: { credentialsType: 'None' }
  }
}
